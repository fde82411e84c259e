package store

import "github.com/ClickHouse/ch-go/proto"

// wordColumn is a column LowCardinality(String) of at most blockRows values. It finds each value's number as it comes,
// mostly without a look into a map: many values are those of the row before.
type wordColumn struct {
	column *proto.ColLowCardinalityRaw
	words  *proto.ColStr
	number map[string]uint16 // by word; the words are not ours
	last   string
	key    uint16 // of last
}

func newWordColumn() wordColumn {
	words := new(proto.ColStr)
	w := wordColumn{column: &proto.ColLowCardinalityRaw{Index: words, Key: proto.KeyUInt16}, words: words, number: make(map[string]uint16)}
	w.reset()
	return w
}

// reset makes the column empty. Number 0 is the default value's, as the server wants it.
func (w *wordColumn) reset() {
	w.column.Reset()
	clear(w.number)
	w.words.Append("")
	w.number[""] = 0
	w.last, w.key = "", 0
}

func (w *wordColumn) append(s string) {
	if s != w.last {
		w.last, w.key = s, w.numberOf(s)
	}
	w.column.Keys16 = append(w.column.Keys16, w.key)
}

func (w *wordColumn) numberOf(s string) uint16 {
	if n, ok := w.number[s]; ok {
		return n
	}
	n := uint16(w.words.Rows()) //nolint:gosec // at most blockRows and the default
	w.words.Append(s)
	w.number[s] = n
	return n
}
