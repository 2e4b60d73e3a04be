"""The schemes of evaluation, a module each: which sections are tested, by models trained on which others."""
