package pathfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
)

// generate writes rows paths over 12 channels, 3.3 touches long on average.
func generate(rows int) []byte {
	channels := []string{
		"Direct", "Organic Search", "Paid Search", "Email", "Referral", "Organic Social", "Paid Social",
		"Display", "Affiliates", "AI Assistants", "Webinar", "Partner",
	}
	random := rand.New(rand.NewPCG(1, 2))
	var out bytes.Buffer
	out.WriteString("path,conversions,value,nulls\n")
	for range rows {
		out.WriteString(channels[random.IntN(len(channels))])
		for random.Float64() < 0.7 {
			out.WriteString(" > " + channels[min(random.IntN(len(channels)), random.IntN(len(channels)))])
		}
		if random.Float64() < 0.1 {
			fmt.Fprintf(&out, ",1,%s,0\n", strconv.FormatFloat(random.ExpFloat64()*100, 'f', 2, 64))
		} else {
			out.WriteString(",0,0,1\n")
		}
	}
	return out.Bytes()
}

func BenchmarkRead(b *testing.B) {
	for _, rows := range []int{100_000, 1_000_000} {
		b.Run(strconv.Itoa(rows), func(b *testing.B) {
			data := generate(rows)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(bytes.NewReader(data), "bench"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
