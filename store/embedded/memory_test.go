package embedded_test

import (
	"testing"
	"testing/fstest"

	"github.com/touchline-hq/touchline/store/embedded"
)

func TestDefaultMemory(t *testing.T) {
	const gib = 1 << 30
	files := func(pathsAndTexts ...string) fstest.MapFS {
		root := fstest.MapFS{}
		for i := 0; i < len(pathsAndTexts); i += 2 {
			root[pathsAndTexts[i]] = &fstest.MapFile{Data: []byte(pathsAndTexts[i+1])}
		}
		return root
	}
	for _, test := range []struct {
		name string
		root fstest.MapFS
		want uint64
	}{
		{"no control groups", files(), 8 * gib},
		{"no limit", files("proc/self/cgroup", "0::/a\n", "sys/fs/cgroup/a/memory.max", "max\n"), 8 * gib},
		{"version 2", files("proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max", "4294967296\n"), 2 * gib},
		{"the group above is smaller", files("proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max", "4294967296\n", "sys/fs/cgroup/a/memory.max", "2147483648\n"), gib},
		{"version 1", files("proc/self/cgroup", "5:cpu:/x\n4:memory:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2147483648\n"), gib},
		{"version 1 without limit", files("proc/self/cgroup", "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"), 8 * gib},
		{"in a container the group is the root", files("proc/self/cgroup", "0::/docker/x\n", "sys/fs/cgroup/memory.max", "2147483648\n"), gib},
		{"never less than it needs", files("proc/self/cgroup", "0::/\n", "sys/fs/cgroup/memory.max", "104857600\n"), gib / 2},
		{"garbage", files("proc/self/cgroup", "x\n::\n0::../..\n", "sys/fs/cgroup/memory.max", "-1\n"), 8 * gib},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := embedded.DefaultMemory(16*gib, test.root); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
}
