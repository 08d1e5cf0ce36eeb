package wire

import "bytes"

// A ring holds messages as frames, in blocks. A message never spans two blocks, so a
// Cursor that has begun a message can always finish it.
type ring struct {
	blocks []*block // the oldest first, in the order of their seq
	seq    int64    // of the next block
	next   int64    // the number of the message that ends next
	size   int      // bytes of all blocks
	open   bool     // the last message is not whole yet
}

// A block holds messages in one buffer. Frames are only appended, so that what a
// Cursor has lent out does not change.
type block struct {
	seq     int64
	number  int64 // of its first message
	count   int   // messages that are whole
	payload int   // bytes of their payload, before it was compressed
	frames  []byte
	awaited int  // Cursors that still have to send some of it
	held    int  // Cursors that are reading it
	sealed  bool // nothing more is appended
	dropped bool
}

func (b *block) lastNumber() int64 { return b.number + int64(b.count) - 1 }

// smallBlock is the size of the first block, enough for a program that prints little.
const smallBlock = 4 << 10

// append appends the frames of a batch, which so many cursors have to send.
func (r *ring) append(b *Batch, cursors int) {
	if !r.open && !r.fits(b) {
		if last := len(r.blocks) - 1; last >= 0 {
			r.blocks[last].sealed = true
		}
		r.blocks = append(r.blocks, &block{seq: r.seq, number: r.next, frames: r.buffer(len(b.frames)), awaited: cursors})
		r.seq++
	}
	to := r.blocks[len(r.blocks)-1]
	to.frames = append(to.frames, b.frames...)
	to.count += b.messages
	to.payload += b.bytes
	r.size += len(b.frames)
	r.next += int64(b.messages)
	r.open = b.open
}

// fits reports whether a batch fits into the newest block. A batch whose message is not
// whole yet begins a block of its own.
func (r *ring) fits(b *Batch) bool {
	if len(r.blocks) == 0 || b.open {
		return false
	}
	newest := r.blocks[len(r.blocks)-1]
	return !newest.sealed && len(newest.frames)+len(b.frames) <= cap(newest.frames)
}

// buffer returns a buffer for a new block whose first frames have n bytes.
func (r *ring) buffer(n int) []byte {
	switch {
	case n <= smallBlock && r.size < smallBlock:
		return make([]byte, 0, smallBlock)
	case n <= LargeBuffer:
		return GetLarge()
	case n <= WideBuffer:
		return GetWide()
	}
	return make([]byte, 0, n)
}

// drop drops the oldest block.
func (r *ring) drop() {
	b := r.blocks[0]
	r.blocks[0] = nil
	r.blocks = r.blocks[1:]
	r.size -= len(b.frames)
	b.sealed, b.dropped = true, true
	b.recycle()
}

// recycle gives the buffer of a dropped block back when no Cursor reads it any more.
func (b *block) recycle() {
	if b.dropped && b.held == 0 {
		PutBuffer(b.frames)
		b.frames = nil
	}
}

// firstSeq is the seq of the oldest block, or of the next one if there is none.
func (r *ring) firstSeq() int64 { return r.seq - int64(len(r.blocks)) }

// firstNumber is the number of the first message that is kept, or of the next one if
// none is.
func (r *ring) firstNumber() int64 {
	if len(r.blocks) == 0 {
		return r.next
	}
	return r.blocks[0].number
}

// A packer compresses the messages of a ring, once for all clients that have agreed
// to compression (RFC 7692).
type packer struct {
	ring    ring
	batch   Batch
	cursors int
}

// newPacker returns a packer that has compressed what a ring holds.
func newPacker(from *ring) *packer {
	p := &packer{batch: Batch{compress: true}}
	p.ring.next = from.firstNumber()
	for _, b := range from.blocks {
		p.append(b.frames, 0)
	}
	return p
}

// append compresses frames and appends them.
func (p *packer) append(frames []byte, cursors int) {
	for rest := frames; len(rest) > 0; {
		h := parseHeader(rest)
		payload := rest[h.size:h.frameSize()]
		if h.masked {
			payload = bytes.Clone(payload)
			applyMask(payload, h.key)
			p.batch.masked = true
		}
		p.batch.Append(Kind(h.opcode()), payload, h.fin())
		rest = rest[h.frameSize():]
	}
	p.ring.append(&p.batch, cursors)
	p.batch.reset()
}
