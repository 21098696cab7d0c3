package bench

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// follow has n panels follow the room at a URL, in a process of their own; tell is told what the first of them is sent of
// every lamp, and when it arrived. It returns when all of them have the whole room, or with an error where one does not
// get it. The panels leave with leave.
func (b *bench) follow(ctx context.Context, url string, n int, tell func(device string, on bool, at time.Time)) (leave func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, b.Program, "bench", "--panels", strconv.Itoa(n), "--of", strings.TrimPrefix(url, "http://"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var wrong said
	cmd.Stderr = &wrong
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("starting %d panels: %w", n, err)
	}
	whole, over := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(over)
		defer close(whole)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "whole" {
				whole <- true
				continue
			}
			var device string
			var on bool
			var at int64
			if k, err := fmt.Sscan(lines.Text(), &device, &on, &at); k == 3 && err == nil {
				tell(device, on, time.Unix(0, at))
			}
		}
	}()
	leave = func() {
		cancel()
		<-over
		_ = cmd.Wait() // it was killed
	}
	if !<-whole {
		leave()
		return nil, fmt.Errorf("a panel does not get the events of the room: %s", strings.TrimSpace(wrong.String()))
	}
	return leave, nil
}
