package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lectern/configs"
	"lectern/devices/all"
	"lectern/devices/sim"
	"lectern/devices/sim/cast"
)

// outside is the daemon as a process of its own, on equipment that another process plays: what is measured
// of it is its own and not the test's.
type outside struct {
	t      testing.TB
	url    string
	secret string
	data   string
	pid    int
	stage  io.Writer // takes the commands of lectern simulate
	stop   func()
}

// compiled makes the program.
func compiled(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "lectern")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return program
}

// hurried is the demo room in a hurry, as a file.
func hurried(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(example("demo.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, short := range [][2]string{
		{`after: \d+s`, "after: 40ms"}, {`hold: 2s`, "hold: 500ms"}, {`travel: \d+s`, "travel: 1s"}, {`warm: 30s, cool: 90s`, "warm: 600ms, cool: 2s"},
	} {
		text = regexp.MustCompile(short[0]).ReplaceAllString(text, short[1])
	}
	path := filepath.Join(t.TempDir(), "room.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// outdoors starts equipment and daemon, each in a process of its own.
func outdoors(t testing.TB) *outside {
	t.Helper()
	program, room := compiled(t), hurried(t)
	lines := filepath.Join(t.TempDir(), "lines")
	equipment := exec.Command(program, "simulate", "--config", room, "--dir", lines, "--speed", strconv.Itoa(quick))
	commands, err := equipment.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	await(t, equipment, "Commands, one a line")
	o := start(t, program, room, lines, func() { _ = equipment.Process.Kill(); _ = equipment.Wait() })
	o.stage = commands
	return o
}

// watched starts the daemon in a process of its own, and plays its equipment here, where what reaches it can
// be seen at once.
func watched(t testing.TB) (*outside, *cast.Ensemble) {
	t.Helper()
	program, room, lines := compiled(t), hurried(t), t.TempDir()
	cfg, err := configs.Load(room, all.Catalogue(), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stage := sim.NewStage(ctx)
	played, err := cast.Play(ctx, stage, cfg, cast.Options{Speed: quick, Folder: lines})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(played.Endpoints)
	if err == nil {
		err = os.WriteFile(filepath.Join(lines, endpointsFile), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return start(t, program, room, lines, func() { cancel(); stage.Wait() }), played
}

// start starts the daemon on equipment that is played already. The equipment is taken away after it.
func start(t testing.TB, program, room, lines string, takeAway func()) *outside {
	t.Helper()
	o := &outside{t: t, data: filepath.Join(t.TempDir(), "data")}
	daemon := exec.Command(program, "run", "--config", room, "--simulated", lines, "--data", o.data, "--listen", "127.0.0.1:0")
	first := await(t, daemon, "http://")
	o.url, o.pid = first[strings.Index(first, "http://"):], daemon.Process.Pid
	o.stop = sync.OnceFunc(func() {
		_ = daemon.Process.Signal(syscall.SIGTERM)
		if err := daemon.Wait(); err != nil {
			t.Errorf("the daemon ended with %v", err)
		}
		takeAway()
		http.DefaultClient.CloseIdleConnections()
	})
	t.Cleanup(o.stop)
	secret, err := os.ReadFile(filepath.Join(o.data, tokenFile))
	if err != nil {
		t.Fatal(err)
	}
	o.secret = strings.TrimSpace(string(secret))
	o.until("the room is ready", func() bool {
		reply, err := http.Get(o.url + "/readyz")
		if err != nil {
			return false
		}
		_ = reply.Body.Close()
		return reply.StatusCode == http.StatusOK
	})
	return o
}

// await starts a process and waits until it has said something; what it says afterwards is read and dropped.
func await(t testing.TB, c *exec.Cmd, want string) string {
	t.Helper()
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for said := bufio.NewScanner(out); said.Scan(); {
		if strings.Contains(said.Text(), want) {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return said.Text()
		}
	}
	t.Fatalf("%s never said %q", c, want)
	return ""
}

// figures is how much the daemon takes.
type figures struct {
	heap, rss, goroutines, files float64
}

// look reads the daemon's figures: from its metrics, and from what the kernel knows of it.
func (o *outside) look() (f figures) {
	reply, err := http.Get(o.url + "/metrics")
	if err != nil {
		o.t.Error(err)
		return f
	}
	defer reply.Body.Close()
	for lines := bufio.NewScanner(reply.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue
		}
		switch name {
		case "go_goroutines":
			f.goroutines = number
		case "go_memstats_heap_alloc_bytes":
			f.heap = number / (1 << 20)
		}
	}
	process := filepath.Join("/proc", strconv.Itoa(o.pid))
	status, err := os.ReadFile(filepath.Join(process, "status"))
	files, wrong := os.ReadDir(filepath.Join(process, "fd"))
	if err := errors.Join(err, wrong); err != nil {
		o.t.Error(err)
	}
	if m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status); m != nil {
		kb, _ := strconv.ParseFloat(string(m[1]), 64) //nolint:errcheck // digits
		f.rss = kb / 1024
	}
	f.files = float64(len(files))
	return f
}

// until waits until a condition holds.
func (o *outside) until(what string, holds func() bool) {
	o.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	o.t.Fatalf("it never came about that %s", what)
}
