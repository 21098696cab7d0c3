package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program under measurement, on its own.
type process struct {
	cmd        *exec.Cmd
	url        string
	token      string
	started    time.Time
	over       chan error // how it ended
	out, wrong said
}

// said is what a program writes, read while it does.
type said struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer. What is beyond some pages is dropped.
func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.text) < 64<<10 {
		s.text = append(s.text, b...)
	}
	return len(b), nil
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

// patience bounds every wait for a program.
const patience = 30 * time.Second

var (
	errNobody = errors.New("there is nobody at the measuring slave")
	address   = regexp.MustCompile(`https?://[0-9.:]+`)
	login     = regexp.MustCompile(`MQTT: tcp://(\S+) user (\S+) password (\S+)`)
)

// start runs the program until stop, once it has said where it is.
func start(ctx context.Context, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, program, args...), started: time.Now(), over: make(chan error, 1)}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.wrong
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting lectern %s: %w", args[0], err)
	}
	go func() { p.over <- p.cmd.Wait() }()
	found, err := p.says(address)
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("lectern %s: %w", strings.Join(args, " "), err)
	}
	p.url = found[0]
	return p, nil
}

// says waits until the program has said what matches.
func (p *process) says(what *regexp.Regexp) ([]string, error) {
	for {
		if found := what.FindStringSubmatch(p.out.String()); found != nil {
			return found, nil
		}
		select {
		case err := <-p.over:
			p.over <- err
			return nil, fmt.Errorf("it has ended: %s", strings.TrimSpace(p.wrong.String()))
		case <-time.After(time.Millisecond):
		}
		if time.Since(p.started) > patience {
			return nil, fmt.Errorf("it says only %q", p.out.String())
		}
	}
}

// daemon runs a room and waits until it is ready. It returns how long that took from its start.
func (b *bench) daemon(ctx context.Context, args ...string) (*process, time.Duration, error) {
	return b.run(ctx, http.StatusOK, args...)
}

// ailing runs a room in which something does not answer, and so is never ready.
func (b *bench) ailing(ctx context.Context, args ...string) (*process, error) {
	p, _, err := b.run(ctx, http.StatusServiceUnavailable, args...)
	return p, err
}

// run runs a room and waits until it answers with a status when asked whether it is ready.
func (b *bench) run(ctx context.Context, status int, args ...string) (*process, time.Duration, error) {
	data, err := os.MkdirTemp(b.folder, "data")
	if err != nil {
		return nil, 0, fmt.Errorf("a folder for the room's data: %w", err)
	}
	p, err := start(ctx, b.Program, append([]string{"run", "--listen", "127.0.0.1:0", "--data", data}, args...)...)
	if err != nil {
		return nil, 0, err
	}
	for {
		r, err := http.Get(p.url + "/readyz")
		if err == nil {
			_ = r.Body.Close()
			if r.StatusCode == status {
				break
			}
		}
		if time.Since(p.started) > patience {
			p.stop()
			return nil, 0, errors.New("the room does not get ready; lectern run with the same file says why")
		}
		time.Sleep(time.Millisecond)
	}
	ready := time.Since(p.started)
	token, err := os.ReadFile(filepath.Join(data, "cli-token"))
	if err != nil {
		p.stop()
		return nil, 0, fmt.Errorf("the daemon's token: %w", err)
	}
	p.token = strings.TrimSpace(string(token))
	return p, ready, nil
}

// stop ends the program and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	p.over <- <-p.over
	late.Stop()
}

// memory is what the program has resident, in MiB.
func (p *process) memory() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseFloat(fields[0], 64)
	return kib / 1024
}

// worked is how long the program has used a processor. The threads' own accounts are exact; those of the process in
// proc(5) are of ticks, which see of short bursts too much or nothing.
func (p *process) worked() time.Duration {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(threads) == 0 {
		return 0
	}
	sum := time.Duration(0)
	for _, thread := range threads {
		b, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		ran, _, _ := strings.Cut(string(b), " ")
		ns, _ := strconv.ParseInt(ran, 10, 64)
		sum += time.Duration(ns)
	}
	return sum
}
