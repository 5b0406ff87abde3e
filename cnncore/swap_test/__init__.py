"""Is a table just as useful after its columns change places?"""

from cnnkit.cnncore.swap_test.procedure import swap_test
from cnnkit.cnncore.swap_test.result import SwapTestResult
from cnnkit.cnncore.swap_test.target import TableError

__all__ = ["SwapTestResult", "TableError", "swap_test"]
