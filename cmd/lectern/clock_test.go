package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The campaign with a clock that is set while the room runs, forward and back by up to a day, as a time
// server or a person does it. No process can set its own clock, and nothing in the program asks for another,
// so the standard library is built with a time.Now whose wall clock can be set; the monotonic clock,
// timers and deadlines go on, as they do on a real machine. It takes minutes to build.
//
//	LECTERN_CLOCK=40 nice go test ./cmd/lectern -run TestTheClockIsSet -timeout 1h -v     # 40 runs
func TestTheClockIsSet(t *testing.T) {
	runs := os.Getenv("LECTERN_CLOCK")
	if runs == "" {
		t.Skip("on demand: LECTERN_CLOCK=40")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	b, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	const now = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if !strings.Contains(string(b), now) {
		t.Fatalf("time.Now in %s is written otherwise than this test knows", source)
	}
	changed := strings.Replace(string(b), now, now+"\tsec += set\n", 1) +
		"\nvar set int64\n\n// Set sets the wall clock, in seconds from the true time.\nfunc Set(seconds int64) { set = seconds }\n"
	folder := t.TempDir()
	copied, overlay := filepath.Join(folder, "time.go"), filepath.Join(folder, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {source: copied}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{copied: []byte(changed), overlay: list} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	campaign := exec.Command("go", "test", "-overlay", overlay, "-tags", "clock", "-count", "1", "-timeout", "1h", "-run", "^TestCampaign$", ".")
	campaign.Env = append(os.Environ(), "LECTERN_CAMPAIGN="+runs)
	if out, err := campaign.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	} else {
		t.Logf("%s", out)
	}
}

// clocks adds to a script that the clock is set. What else happens stays as the seed has it.
func (s *scenario) clocks() {
	r := rand.New(rand.NewPCG(s.seed, 1582))
	for range 1 + r.IntN(4) {
		at := time.Duration(r.IntN(2000)) * time.Millisecond
		to := time.Duration(r.Int64N(int64(48*time.Hour))) - 24*time.Hour
		s.deeds = append(s.deeds, deed{at: at, who: "fault", do: "clock", to: to.Round(time.Second).String()})
	}
}
