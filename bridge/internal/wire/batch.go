package wire

// A Batch is frames that leave in one write. It is made of messages, or of
// pieces of them, in order: a message may begin in one batch and end in a later
// one. Between Begin and End it holds a buffer.
type Batch struct {
	masked   bool
	compress bool
	open     bool
	wrapped  bool // frames lie in somebody else's buffer
	frames   []byte
	messages int       // that end in it
	bytes    int       // of payload, before it was compressed
	last     int64     // the number of the last message that ends in it; 0: they have none
	d        *deflater // of the message that is open; nil: it is not compressed
}

// NewBatch returns a Batch for this connection.
func (c *Conn) NewBatch() *Batch { return &Batch{masked: c.masked, compress: c.compress} }

// NewClientBatch returns a Batch of masked frames for a Log, whose Cursors send
// them to a server. Each frame keeps its key wherever it goes: what counts is that
// the key was not known when the payload was made (RFC 6455, section 10.3).
func NewClientBatch() *Batch { return &Batch{masked: true} }

// Begin lends it a buffer, unless it has one. What fits there is what it may hold
// without growing.
func (b *Batch) Begin(get func() []byte) {
	if b.frames == nil {
		b.frames = get()
	}
}

// End takes the buffer back. What has not been sent is lost.
func (b *Batch) End() {
	b.reset()
	PutBuffer(b.frames)
	b.frames = nil
}

func (b *Batch) reset() {
	b.frames, b.messages, b.bytes, b.last = b.frames[:0], 0, 0, 0
	if b.wrapped {
		b.frames, b.wrapped = nil, false
	}
}

// Fits reports whether a payload of n bytes still has room, as it always has in
// a batch that is empty.
func (b *Batch) Fits(n int) bool {
	return len(b.frames) == 0 || len(b.frames)+HeaderRoom+n <= cap(b.frames)
}

// IsEmpty reports whether there is nothing to send.
func (b *Batch) IsEmpty() bool { return len(b.frames) == 0 }

// IsOpen reports whether a message has begun and not ended.
func (b *Batch) IsOpen() bool { return b.open }

// Append appends a frame with the next payload of a message, the last one or
// not.
func (b *Batch) Append(kind Kind, payload []byte, last bool) {
	first := b.count(kind, len(payload), last)
	if begins := first&0xf != opContinuation; begins && b.compress && (len(payload) >= minDeflate || !last) {
		b.d = deflaters.Get().(*deflater)
		first |= rsv1Bit
	}
	if b.d == nil {
		b.frames = appendFrame(b.frames, first, payload, b.masked)
		return
	}
	compressed := b.d.deflate(payload, last)
	if last && first&rsv1Bit != 0 && len(compressed) >= len(payload) {
		first, compressed = first&^rsv1Bit, payload // what was compressed before, for instance
	}
	b.frames = appendFrame(b.frames, first, compressed, b.masked)
	if last {
		b.d.put()
		b.d = nil
	}
}

// Wrap makes a message of the payload that begins at p[HeaderRoom:] the whole
// batch, without copying it: p lies in the batch until that is sent. The batch
// must be empty, without a buffer, and not compress.
func (b *Batch) Wrap(kind Kind, p []byte) {
	first := b.count(kind, len(p)-HeaderRoom, true)
	b.frames, b.wrapped = frameInPlace(p, first, b.masked), true
}

// count counts a payload and returns the first byte of its frame.
func (b *Batch) count(kind Kind, n int, last bool) (first byte) {
	first = byte(kind)
	if b.open {
		first = opContinuation
	}
	b.open = !last
	if last {
		first |= finBit
		b.messages++
	}
	b.bytes += n
	return first
}

// lend makes frames of a Log the whole batch, which lie there until they are
// sent.
func (b *Batch) lend(frames []byte, messages, bytes int, last int64) {
	b.frames, b.messages, b.bytes, b.last, b.wrapped = frames, messages, bytes, last, true
}

// Compresses reports whether messages may be compressed.
func (b *Batch) Compresses() bool { return b.compress }
