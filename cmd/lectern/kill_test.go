package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// victim is the demo room as processes of their own: the equipment, which goes on, and the daemon,
// which is killed.
type victim struct {
	t                          *testing.T
	ctx                        context.Context
	program, room, lines, data string
	commands                   io.Writer
	said                       *bufio.Scanner
	client                     *http.Client
}

// newVictim builds the program and plays the equipment, with the pauses of the scenes as given.
func newVictim(ctx context.Context, t *testing.T, pause string) *victim {
	t.Helper()
	folder := t.TempDir()
	v := &victim{
		t: t, ctx: ctx, program: filepath.Join(folder, "lectern"), room: filepath.Join(folder, "room.yaml"),
		lines: filepath.Join(folder, "lines"), data: filepath.Join(folder, "data"),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}},
	}
	t.Cleanup(v.client.CloseIdleConnections)
	if out, err := exec.Command("go", "build", "-o", v.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	file, err := os.ReadFile(example("demo.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	short := regexp.MustCompile(`after: \ds`).ReplaceAllString(string(file), "after: "+pause)
	if err := os.WriteFile(v.room, []byte(short), 0o600); err != nil {
		t.Fatal(err)
	}
	equipment := exec.CommandContext(ctx, v.program, "simulate", "--config", v.room, "--dir", v.lines, "--speed", "50")
	commands, err := equipment.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := equipment.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := equipment.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = equipment.Process.Kill(); _ = equipment.Wait() })
	v.commands, v.said = commands, bufio.NewScanner(answers)
	v.truth() // it plays
	return v
}

// truth asks the equipment how it is.
func (v *victim) truth() map[string]string {
	v.t.Helper()
	if _, err := io.WriteString(v.commands, "truth\n"); err != nil {
		v.t.Fatal(err)
	}
	all := make(map[string]string)
	for v.said.Scan() {
		if name, value, ok := strings.Cut(v.said.Text(), " = "); ok {
			all[name] = value
		}
		if strings.HasPrefix(v.said.Text(), "window-lights.power") { // the last by name
			break
		}
	}
	return all
}

// racked counts the circuits of the rack that are on.
func (v *victim) racked() (n int) {
	for name, value := range v.truth() {
		if strings.HasPrefix(name, "rack-") && value == "true" {
			n++
		}
	}
	return n
}

// launch starts a daemon.
func (v *victim) launch() (daemon *exec.Cmd, out io.Reader) {
	v.t.Helper()
	daemon = exec.CommandContext(v.ctx, v.program, "run", "--config", v.room, "--simulated", v.lines, "--data", v.data, "--listen", "127.0.0.1:0")
	out, err := daemon.StdoutPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		v.t.Fatal(err)
	}
	return daemon, out
}

// start starts a daemon and says where it serves.
func (v *victim) start() (daemon *exec.Cmd, url string) {
	v.t.Helper()
	daemon, out := v.launch()
	first := bufio.NewScanner(out)
	if !first.Scan() {
		v.t.Fatal("the daemon said nothing")
	}
	return daemon, first.Text()[strings.Index(first.Text(), "http://"):]
}

// kill ends a daemon as a kill -9 does, and returns when it is gone.
func (v *victim) kill(daemon *exec.Cmd) {
	v.t.Helper()
	if err := daemon.Process.Kill(); err != nil {
		v.t.Fatal(err)
	}
	_ = daemon.Wait()
}

func (v *victim) state(url string) (s seen) {
	out, err := exec.CommandContext(v.ctx, v.program, "state", "--json", "--address", url, "--data", v.data).Output()
	if err == nil {
		_ = json.Unmarshal(out, &s)
	}
	return s
}

// ask asks the daemon; the status is 0 where it is dead.
func (v *victim) ask(method, url, body string) (status int, answer map[string]any) {
	secret, err := os.ReadFile(filepath.Join(v.data, tokenFile))
	if err != nil {
		return 0, nil
	}
	r, err := http.NewRequestWithContext(v.ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	r.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(secret)))
	got, err := v.client.Do(r)
	if err != nil {
		return 0, nil
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	if err != nil || json.Unmarshal(b, &answer) != nil {
		return 0, nil
	}
	return got.StatusCode, answer
}

// ready waits until the daemon has read everything.
func (v *victim) ready(url string) {
	v.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		status, answer := v.ask(http.MethodGet, url+"/readyz", "")
		if status == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			v.t.Fatalf("it is not ready: %v", answer)
		}
	}
}

// The daemon is killed in the middle of the rack and started again: it reads what is, and finishes,
// as the scene says; and a room that was doing nothing is left as it is.
func TestSIGKILLInTheMiddleOfTheRack(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	v := newVictim(ctx, t, "300ms")
	daemon, url := v.start()
	scene := exec.CommandContext(ctx, v.program, "scene", "system-on", "--address", url, "--data", v.data)
	if err := scene.Start(); err != nil {
		t.Fatal(err)
	}
	for v.racked() < 2 {
		if ctx.Err() != nil {
			t.Fatal("the rack never began")
		}
	}
	v.kill(daemon)
	_ = scene.Wait()
	stopped := v.racked()
	if stopped < 2 || stopped > 5 {
		t.Fatalf("killed with %d circuits on", stopped)
	}

	daemon, url = v.start()
	for v.racked() < 6 {
		if ctx.Err() != nil {
			t.Fatalf("after the restart the rack stays at %d", v.racked())
		}
	}
	finished := func() bool {
		for _, r := range v.state(url).Runs {
			if r.Scene == "system-on" {
				return r.State == "finished"
			}
		}
		return false
	}
	for !finished() {
		if ctx.Err() != nil {
			t.Fatalf("the run was not finished: %+v", v.state(url).Runs)
		}
		time.Sleep(20 * time.Millisecond)
	}
	v.kill(daemon)

	// Nothing was under way now: nothing moves.
	before := v.truth()
	daemon, url = v.start()
	defer v.kill(daemon)
	for len(v.state(url).Lines) == 0 || v.state(url).Lines[0].Line == "" {
		time.Sleep(20 * time.Millisecond)
	}
	for name, value := range v.truth() {
		if before[name] != value && !strings.HasPrefix(name, "temperature") {
			t.Errorf("after a restart %s is %s, was %s", name, value, before[name])
		}
	}
}
