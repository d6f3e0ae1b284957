"""A whole service beside strangers that mean no good; run alone, as it takes the whole machine."""
