package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The daemon is killed in the middle of the rack and started again: it reads what is, and finishes,
// as the scene says; and a room that was doing nothing is left as it is.
func TestSIGKILLInTheMiddleOfTheRack(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	program := filepath.Join(folder, "lectern")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	// The demo room with shorter pauses.
	file, err := os.ReadFile(example("demo.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	short := regexp.MustCompile(`after: \ds`).ReplaceAllString(string(file), "after: 300ms")
	room := filepath.Join(folder, "room.yaml")
	if err := os.WriteFile(room, []byte(short), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, data := filepath.Join(folder, "lines"), filepath.Join(folder, "data")
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()

	equipment := exec.CommandContext(ctx, program, "simulate", "--config", room, "--dir", lines, "--speed", "50")
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
	defer func() { _ = equipment.Process.Kill(); _ = equipment.Wait() }()
	said := bufio.NewScanner(answers)
	truth := func() map[string]string {
		t.Helper()
		if _, err := commands.Write([]byte("truth\n")); err != nil {
			t.Fatal(err)
		}
		all := make(map[string]string)
		for said.Scan() {
			if name, value, ok := strings.Cut(said.Text(), " = "); ok {
				all[name] = value
			}
			if strings.HasPrefix(said.Text(), "window-lights.power") { // the last by name
				break
			}
		}
		return all
	}
	on := func() (n int) {
		for name, value := range truth() {
			if strings.HasPrefix(name, "rack-") && value == "true" {
				n++
			}
		}
		return n
	}
	truth() // it plays

	address := "127.0.0.1:0"
	start := func() (daemon *exec.Cmd, url string) {
		t.Helper()
		daemon = exec.CommandContext(ctx, program, "run", "--config", room, "--simulated", lines, "--data", data, "--listen", address)
		out, err := daemon.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := daemon.Start(); err != nil {
			t.Fatal(err)
		}
		first := bufio.NewScanner(out)
		if !first.Scan() {
			t.Fatal("the daemon said nothing")
		}
		return daemon, first.Text()[strings.Index(first.Text(), "http://"):]
	}
	state := func(url string) (s seen) {
		out, err := exec.CommandContext(ctx, program, "state", "--json", "--address", url, "--data", data).Output()
		if err == nil {
			_ = json.Unmarshal(out, &s)
		}
		return s
	}

	daemon, url := start()
	scene := exec.CommandContext(ctx, program, "scene", "system-on", "--address", url, "--data", data)
	if err := scene.Start(); err != nil {
		t.Fatal(err)
	}
	for on() < 2 {
		if ctx.Err() != nil {
			t.Fatal("the rack never began")
		}
	}
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = daemon.Wait(), scene.Wait()
	stopped := on()
	if stopped < 2 || stopped > 5 {
		t.Fatalf("killed with %d circuits on", stopped)
	}

	daemon, url = start()
	for on() < 6 {
		if ctx.Err() != nil {
			t.Fatalf("after the restart the rack stays at %d", on())
		}
	}
	finished := func() bool {
		for _, r := range state(url).Runs {
			if r.Scene == "system-on" {
				return r.State == "finished"
			}
		}
		return false
	}
	for !finished() {
		if ctx.Err() != nil {
			t.Fatalf("the run was not finished: %+v", state(url).Runs)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = daemon.Wait()

	// Nothing was under way now: nothing moves.
	before := truth()
	daemon, url = start()
	defer func() { _ = daemon.Process.Kill(); _ = daemon.Wait() }()
	for len(state(url).Lines) == 0 || state(url).Lines[0].Line == "" {
		time.Sleep(20 * time.Millisecond)
	}
	for name, value := range truth() {
		if before[name] != value && !strings.HasPrefix(name, "temperature") {
			t.Errorf("after a restart %s is %s, was %s", name, value, before[name])
		}
	}
}
