"""One thin module per Lambda function: event in, one call, answer out."""

import gc

gc.set_threshold(
    50_000
)  # what a start makes stays: looking through it for garbage, again and again, costs a tenth of the start
