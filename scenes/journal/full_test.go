package journal

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fullEnv has the test program fill a disk in the folder that it names, in place of testing.
const fullEnv = "LECTERN_TEST_FULL_DISK"

// A limit on the size of files is as good as a full disk: the system itself refuses to write. It holds
// for a whole process, so that it is done in one of its own.
func TestAFullDiskStopsNothingAndIsOverWhenThereIsRoom(t *testing.T) {
	folder := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), fullEnv+"="+folder)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	j := Open(folder, quiet())
	defer j.Close()
	found := all(t, j, Filter{})
	var commands int
	for _, e := range found {
		if e.Device == "lamp" {
			commands++
		}
	}
	words := outcomes(found)
	if commands != fullCommands || strings.Count(words, "broken") != 1 || strings.Count(words, "recovered") != 1 {
		t.Errorf("%d commands of %d: %s", commands, fullCommands, words)
	}
	var verdict string
	if err := j.db.conn.QueryRowContext(always, "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("%s, %v", verdict, err)
	}
}

const fullCommands = 1000

// fullDisk fills the disk, and makes room again.
func fullDisk(folder string) (exit int) {
	say := func(v ...any) { fmt.Println(v...); exit = 1 }
	limit := func(bytes uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: math.MaxUint64}); err != nil {
			say(err)
		}
	}
	j, end := life(folder, quiet())
	until := func(what string, ok bool) {
		for deadline := time.Now().Add(time.Minute); ; {
			if h, _ := j.Health(); h.OK == ok {
				return
			}
			select {
			case <-j.Watch():
			case <-time.After(time.Until(deadline)):
				say(what)
				return
			}
		}
	}
	limit(100 << 10)
	for range fullCommands {
		j.Record(Entry{Device: "lamp", Outcome: "done", Detail: strings.Repeat("x", 200)})
		j.Await()
	}
	until("the full disk is not told", false)
	if found, _ := j.Read(context.Background(), Filter{Device: "lamp", Most: 10}); len(found) != 10 {
		say("the latest cannot be read:", len(found))
	}
	limit(math.MaxUint64)
	until("it is not written again", true)
	end()
	return exit
}
