package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
)

// file is a file of journeys, one a line, and what is in it.
type file struct {
	path        string
	touches     int
	conversions float64
	value       float64
}

// generate writes journeys over some channels, of which some are more frequent than others: 3.3 touches long on average,
// one in ten converts. The same arguments make the same file.
func generate(path string, channels, journeys int) (_ *file, err error) {
	out, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := out.Close(); err == nil {
			err = closed
		}
	}()
	w := bufio.NewWriterSize(out, 1<<20)
	fmt.Fprintln(w, "path,conversions,value,nulls") // Flush reports what fails
	random := rand.New(rand.NewPCG(1, uint64(channels)))
	f := &file{path: path}
	cents := 0
	for range journeys {
		fmt.Fprintf(w, "Channel %02d", random.IntN(channels))
		f.touches++
		for random.Float64() < 0.7 {
			fmt.Fprintf(w, " > Channel %02d", min(random.IntN(channels), random.IntN(channels)))
			f.touches++
		}
		if random.Float64() < 0.1 {
			worth := int(random.ExpFloat64() * 1e4)
			fmt.Fprintf(w, ",1,%s,0\n", strconv.FormatFloat(float64(worth)/100, 'f', 2, 64))
			f.conversions++
			cents += worth
		} else {
			fmt.Fprint(w, ",0,0,1\n")
		}
	}
	f.value = float64(cents) / 100
	return f, w.Flush()
}
