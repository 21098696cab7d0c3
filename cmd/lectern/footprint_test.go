package main

import (
	"fmt"
	"strings"
	"testing"
)

// What is given back is what can be had again: nothing that can be written, none of which a page was, nothing shared or
// without a file behind it. The text is of proc_pid_smaps(5), shortened.
func TestOnlyPagesThatCanBeReadAgainAreGivenBack(t *testing.T) {
	smaps := `00400000-010cc000 r-xp 00000000 fe:00 10338820   /usr/bin/lectern
Rss:                5948 kB
Anonymous:             0 kB
010cc000-01ffc000 r--p 00ccc000 fe:00 10338820   /usr/bin/lectern
Rss:                9036 kB
Anonymous:             4 kB
01ffc000-020b1000 rw-p 01bfc000 fe:00 10338820   /usr/bin/lectern
Anonymous:             0 kB
23754000000-23755800000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f5374ece000-7f537500e000 r--s 00000000 fe:00 99   /var/lib/lectern/journal.db-shm
Anonymous:             0 kB
7ffd0a1f2000-7ffd0a1f4000 r-xp 00000000 00:00 0   [vdso]
Anonymous:             0 kB
`
	got, err := onlyRead(strings.NewReader(smaps))
	if err != nil || fmt.Sprintf("%x", got) != "[{400000 10cc000}]" {
		t.Errorf("%x, %v", got, err)
	}
	if _, err := onlyRead(strings.NewReader("zz-yy r-xp 0 0:0 1 /x\n")); err == nil {
		t.Error("an address that is none was taken")
	}
}

func TestTheProgramRunsOnAfterGivingBack(t *testing.T) {
	if err := dropProgram(); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%s %d", strings.Repeat("a", 3), 7); got != "aaa 7" {
		t.Errorf("it says %s", got)
	}
}
