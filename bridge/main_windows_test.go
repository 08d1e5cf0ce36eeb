package bridge

// leftChildren has nothing to look at: a process is gone with its handle.
func leftChildren() int { return 0 }
