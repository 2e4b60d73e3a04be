"""What a section is used for: its role in the sheet, and its side in a fold."""

TRAIN, TEST, PREDICT = "train", "test", "predict"
