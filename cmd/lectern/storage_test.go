package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A limit on the size of files, set on the running daemon, is a full disk: the system refuses to write.
func TestAFullDiskIsToldAndStopsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	v := newVictim(ctx, t, "60ms")
	daemon, url := v.start()
	defer v.kill(daemon)
	v.ready(url)
	limit := func(bytes uint64) {
		if err := unix.Prlimit(daemon.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: math.MaxUint64}, nil); err != nil {
			t.Fatal(err)
		}
	}
	storage := func(want bool) {
		t.Helper()
		for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
			_, answer := v.ask(http.MethodGet, url+"/api/v1/state", "")
			if s, _ := answer["storage"].(map[string]any); s["ok"] == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("the storage is told as %v", answer["storage"])
			}
		}
	}
	const sets = 10
	press := func() {
		t.Helper()
		for i := range sets {
			status, answer := v.ask(http.MethodPost, url+"/api/v1/devices/door-lights/power", fmt.Sprintf(`{"value":%t}`, i%2 == 0))
			if status != http.StatusOK || answer["outcome"] != "done" {
				t.Fatalf("%d %v", status, answer)
			}
		}
	}
	limit(4096)
	press()
	storage(false)
	press()
	if status, answer := v.ask(http.MethodGet, url+"/readyz", ""); status != http.StatusOK {
		t.Errorf("the room works, and is %v", answer)
	}
	limit(math.MaxUint64)
	storage(true)
	_, answer := v.ask(http.MethodGet, url+"/api/v1/journal?device=door-lights&outcome=done", "")
	if entries, _ := answer["entries"].([]any); len(entries) != 2*sets || answer["complete"] != true {
		t.Errorf("%d of %d commands are in the journal: %v", len(entries), 2*sets, answer)
	}
	code, out, errors := do(t, "", "journal", "--since", "1h", "--address", url, "--data", v.data)
	if code != exitDone || strings.Count(out, "door-lights.power") != 2*sets || !strings.Contains(out, "storage: broken") || !strings.Contains(out, "storage: recovered") {
		t.Errorf("%d %s %s", code, out, errors)
	}
	code, out, errors = do(t, "", "journal", "--csv", "--device", "door-lights", "--address", url, "--data", v.data)
	if code != exitDone || strings.Count(out, "door-lights,power") != 2*sets || !strings.HasPrefix(out, "\ufeffseq,") {
		t.Errorf("%d %s %s", code, out, errors)
	}
	http.DefaultClient.CloseIdleConnections()
}
