package bridge

// A Framing says how a byte stream and messages correspond.
type Framing int

const (
	// Lines makes a text message of each line, and a line of each message.
	Lines Framing = iota

	// Chunks makes a binary message of whatever one read brings, and
	// passes what comes in on as it is.
	Chunks
)
