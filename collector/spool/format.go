package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// A spool is a directory of segments and one position file. All numbers are little-endian, every CRC is CRC-32C.
//
//	00000000000000000007.segment          named by its number, 1 and up
//	+--------+--------+--------+-----
//	| header | record | record | ...
//	+--------+--------+--------+-----
//
//	header, 48 bytes
//	0         8         12          28        36        44    48
//	+---------+---------+-----------+---------+---------+-----+
//	| magic   | version | spool     | segment | first   | CRC |
//	|         |         | ID        | number  | sequence|     |
//	+---------+---------+-----------+---------+---------+-----+
//	                                                      of bytes 0 to 44
//
//	record, 20 bytes and its payload
//	0         4         8           16        20
//	+---------+---------+-----------+---------+---------------+
//	| mark    | length  | sequence  | CRC     | payload       |
//	+---------+---------+-----------+---------+---------------+
//	                                  of length, sequence and payload, begun with the mark
//
// Records are numbered through all segments without a gap, so that whatever is missing is noticed and counted, and
// what was repeated is not read twice. A segment whose end was never acknowledged (its write or fsync failed) ends
// where the first sequence of the next one says. Zeros behind its last record are room that was prepared.
//
// The mark is the CRC of spool ID and segment number. It is where reading resumes behind damage, and nobody outside
// can know it, so no payload can pretend to hold a record. It does not depend on the header being readable.
//
//	position                              two slots, at 0 and at 4096, written in turn
//	+---------+---------+-----------+------------+----------------+----------------+--------------+-----+
//	| magic   | version | spool     | generation | read: segment, | end: segment,  | acknowledged | CRC |
//	|         |         | ID        |            | offset, seq.   | offset, seq.   | sequence     |     |
//	+---------+---------+-----------+------------+----------------+----------------+--------------+-----+
//	0         8         12          28           36               60               84             92    96
//
// The whole slot with the higher generation counts. Slots are overwritten in place because that needs no free block:
// a spool that has filled its disk can still be emptied. Records from read to end are the frozen batch; none is when
// they are equal. Acknowledged is one more than the highest sequence that was known to be durable at that time.
//
// Header and slot keep their layout in every version; what a version may change is the records.
const (
	formatVersion = 1

	headerSize       = 48
	recordHeaderSize = 20
	slotSize         = 96
	slotDistance     = 4096

	segmentMagic  = "TLSEGMNT"
	positionMagic = "TLPOSITN"
	segmentSuffix = ".segment"
	positionName  = "position"
)

// MaxRecord is the size in bytes of the largest record.
const MaxRecord = 16 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// defect says what is wrong with bytes that were read. Other errors mean that they could not be read at all.
type defect string

func (d defect) Error() string { return string(d) }

func isDefect(err error) bool {
	_, ok := errors.AsType[defect](err)
	return ok
}

const (
	errShort    = defect("cut short")
	errMagic    = defect("not a file of a spool: wrong magic")
	errNumber   = defect("header is of another segment")
	errChecksum = defect("checksum mismatch")
	errMark     = defect("no record begins here")
	errLength   = defect("length of the record is impossible")
	errRepeated = defect("records from before are repeated")
	errMissing  = defect("records are missing")
	errNoFile   = defect("the file is missing")
	errUnused   = defect("was never written")
)

// header is the header of a segment.
type header struct {
	id     uuid.UUID
	number uint64
	first  uint64 // sequence of the segment's first record
}

func (h header) marshal() []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, segmentMagic...)
	b = binary.LittleEndian.AppendUint32(b, formatVersion)
	b = append(b, h.id[:]...)
	b = binary.LittleEndian.AppendUint64(b, h.number)
	b = binary.LittleEndian.AppendUint64(b, h.first)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// unmarshalHeader returns a defect, or an error that wraps ErrVersion.
func unmarshalHeader(b []byte) (header, error) {
	if err := checkPreamble(b, segmentMagic, headerSize); err != nil {
		return header{}, err
	}
	return header{
		id:     uuid.UUID(b[12:28]),
		number: binary.LittleEndian.Uint64(b[28:]),
		first:  binary.LittleEndian.Uint64(b[36:]),
	}, nil
}

// checkPreamble checks what header and slot have in common: magic, version, and a CRC at the end of size bytes.
func checkPreamble(b []byte, magic string, size int) error {
	if len(b) < size {
		return errShort
	}
	if string(b[:8]) != magic {
		return errMagic
	}
	if binary.LittleEndian.Uint32(b[size-4:]) != crc32.Checksum(b[:size-4], castagnoli) {
		return errChecksum
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != formatVersion {
		return fmt.Errorf("%w: it is %d, this program reads %d", ErrVersion, v, formatVersion)
	}
	return nil
}

// markOf returns the mark of a segment's records.
func markOf(id uuid.UUID, number uint64) uint32 {
	var b [24]byte
	copy(b[:], id[:])
	binary.LittleEndian.PutUint64(b[16:], number)
	return crc32.Checksum(b[:], castagnoli)
}

// appendRecord appends a record to dst of which only length and payload are set; stamp sets the rest.
func appendRecord(dst, payload []byte) []byte {
	var h [recordHeaderSize]byte
	binary.LittleEndian.PutUint32(h[4:], uint32(len(payload)))
	return append(append(dst, h[:]...), payload...)
}

// stamp completes the records that appendRecord has written to b, and returns the sequence after theirs.
func stamp(b []byte, mark uint32, sequence uint64) uint64 {
	for len(b) > 0 {
		end := recordHeaderSize + binary.LittleEndian.Uint32(b[4:])
		binary.LittleEndian.PutUint32(b, mark)
		binary.LittleEndian.PutUint64(b[8:], sequence)
		binary.LittleEndian.PutUint32(b[16:], recordChecksum(mark, b[:end]))
		b = b[end:]
		sequence++
	}
	return sequence
}

// recordChecksum computes the CRC of the whole record b.
func recordChecksum(mark uint32, b []byte) uint32 {
	return crc32.Update(crc32.Update(mark, castagnoli, b[4:16]), castagnoli, b[recordHeaderSize:])
}

// state is the content of the position file.
type state struct {
	id           uuid.UUID
	generation   uint64
	read         cursor // of the oldest record that is not committed
	end          cursor // of the first record after the frozen batch
	acknowledged uint64
}

// cursor is the position of a record together with its sequence.
type cursor struct {
	Position
	sequence uint64
}

func (s state) marshal() []byte {
	b := make([]byte, 0, slotSize)
	b = append(b, positionMagic...)
	b = binary.LittleEndian.AppendUint32(b, formatVersion)
	b = append(b, s.id[:]...)
	b = binary.LittleEndian.AppendUint64(b, s.generation)
	for _, c := range []cursor{s.read, s.end} {
		b = binary.LittleEndian.AppendUint64(b, c.Segment)
		b = binary.LittleEndian.AppendUint64(b, uint64(c.Offset))
		b = binary.LittleEndian.AppendUint64(b, c.sequence)
	}
	b = binary.LittleEndian.AppendUint64(b, s.acknowledged)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// unmarshalState returns a defect, or an error that wraps ErrVersion.
func unmarshalState(b []byte) (state, error) {
	if err := checkPreamble(b, positionMagic, slotSize); err != nil {
		return state{}, err
	}
	cursorAt := func(b []byte) cursor {
		return cursor{
			Position: Position{
				Segment: binary.LittleEndian.Uint64(b),
				Offset:  int64(binary.LittleEndian.Uint64(b[8:]) & (1<<63 - 1)),
			},
			sequence: binary.LittleEndian.Uint64(b[16:]),
		}
	}
	return state{
		id:           uuid.UUID(b[12:28]),
		generation:   binary.LittleEndian.Uint64(b[28:]),
		read:         cursorAt(b[36:]),
		end:          cursorAt(b[60:]),
		acknowledged: binary.LittleEndian.Uint64(b[84:]),
	}, nil
}

// segmentPath returns the name of a segment's file. Names sort like the numbers.
func segmentPath(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", number, segmentSuffix))
}

// segmentNumber returns the number in the name of a segment's file; ok is false for any other file.
func segmentNumber(name string) (number uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	number, err := strconv.ParseUint(digits, 10, 63)
	return number, err == nil && number > 0
}
