package line

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// dozeMost is more than the silence between two frames at 9600 baud, and so short that nobody needs to end it.
const dozeMost = 5 * time.Millisecond

// nap sleeps to some microseconds. A timer of the runtime may come a millisecond late where there is nothing else to do, as
// it waits for whole ones (runtime/netpoll_epoll.go); on a busy bus that is a part of every exchange. Nor is it nanosleep(2):
// the runtime takes that for work, and looks after it every twenty microseconds until it is over (sysmon, runtime/proc.go),
// which was half of all that a room at rest took of a processor. This is a timer of the kernel's, waited for as a port is.
//
// The zero nap is ready. It is for one goroutine.
type nap struct {
	timer *direct // timerfd_create(2); nil before the first
	fd    int
	count [8]byte // of expiries, which it reads as
}

// sleep sleeps.
func (n *nap) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	if n.timer == nil {
		fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
		if err != nil { // no more files may be open: later is better than never
			time.Sleep(d)
			return
		}
		file := os.NewFile(uintptr(fd), "timerfd")
		timer, err := newDirect("timerfd", file)
		if err != nil {
			_ = file.Close()
			time.Sleep(d)
			return
		}
		n.timer, n.fd = timer, fd
	}
	err := unix.TimerfdSettime(n.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil)
	if err == nil {
		_, err = n.timer.Read(n.count[:])
	}
	if err != nil {
		time.Sleep(d)
	}
}

// close gives the timer back.
func (n *nap) close() {
	if n.timer != nil {
		_ = n.timer.Close()
		n.timer = nil
	}
}
