package mqtt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
	"lectern/scenes/room"
)

const (
	heightSlack = 2                // percent that a curtain may stop from where it was sent and be there
	standTime   = 10 * time.Second // longer than a motor stands between its two directions
)

var (
	errSuperseded = errors.New("a newer command took its place")

	superseded = devices.Phrase{ZH: "已被更新的操作取代", EN: "A newer command took its place"}
	stopping   = devices.Phrase{ZH: "控制器正在停止，结果未知", EN: "The controller is stopping; what became of it is not known"}
)

// promise is a command that the equipment has accepted for later.
type promise struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	newer  sync.Mutex // held while a newer command for the same property is under way
}

func newPromise(ctx context.Context) *promise {
	p := &promise{}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	return p
}

// hold keeps a promise from being judged by what a newer command does. A nil promise is none.
func (p *promise) hold() {
	if p != nil {
		p.newer.Lock()
	}
}

// release says whether the newer command has taken its place.
func (p *promise) release(replaced bool) {
	if p == nil {
		return
	}
	if replaced {
		p.cancel(errSuperseded)
	}
	p.newer.Unlock()
}

// keep follows what the equipment has accepted for later - a lamp that warms up, a curtain on its way -
// and reports how it ends, exactly once.
func (g *Gateway) keep(made *promise, c set, p devices.Property, wanted devices.Value) {
	defer made.cancel(nil)
	var now room.PropertyState
	var reached, stands bool
	look := func() (over bool) {
		now, _ = g.Room.Get(c.node, c.property)
		reached = now.Value == wanted && (now.Quality == devices.Reported || now.Quality == devices.Assumed)
		motion, _ := g.Room.Get(c.node, "motion")
		stands = p.Name == "position" && motion.Value == devices.Word(string(devices.Stop))
		if off := now.Value.Int() - wanted.Int(); stands && !now.Value.IsZero() && max(off, -off) <= heightSlack {
			reached = true
		}
		return reached || now.Target != wanted
	}
	// A curtain also stands for a moment where it turns round; one that goes on standing has arrived.
	var err error
	for over := look(); !over && err == nil; {
		stood, ctx, cancel := stands, made.ctx, context.CancelFunc(func() {})
		if stood {
			ctx, cancel = context.WithTimeout(ctx, standTime)
		}
		err = g.Room.Await(ctx, func() bool { over = look(); return over || stands != stood })
		cancel()
		if stood && errors.Is(err, context.DeadlineExceeded) {
			over, err = true, nil
		}
	}
	made.hold()
	if !reached && err == nil {
		err = context.Cause(made.ctx)
	}
	made.release(false)
	switch {
	case errors.Is(err, errSuperseded):
		g.report(c, devices.Superseded, superseded, 0)
	case err != nil:
		g.report(c, devices.Failed, stopping, 0)
	case reached:
		g.report(c, devices.Done, devices.Phrase{}, 0)
	case !now.Target.IsZero() && now.Target != wanted:
		g.report(c, devices.Superseded, superseded, 0)
	case now.Value.IsZero():
		g.report(c, devices.Failed, devices.Phrase{ZH: "未达到，现状未知", EN: "It did not come about, and how it is now is not known"}, 0)
	default:
		g.report(c, devices.Failed, devices.Phrase{
			ZH: "未达到，现为 " + now.Value.String(), EN: fmt.Sprintf("It did not come about: it is %s now", now.Value),
		}, 0)
	}
}

// attend follows a run and reports how it ends, exactly once.
func (g *Gateway) attend(ctx context.Context, c set, id string) {
	var last room.Run
	err := g.Room.Await(ctx, func() bool {
		for _, r := range g.Room.State().Runs {
			if r.Scene == c.property {
				last = r
			}
		}
		return last.ID != id || last.State.Over()
	})
	switch {
	case err != nil:
		g.report(c, devices.Failed, stopping, 0)
	case last.ID != id:
		g.report(c, devices.Superseded, superseded, 0)
	case last.State == room.Finished || last.State == room.Skipped:
		g.report(c, devices.Done, devices.Phrase{}, 0)
	default:
		reason := last.Reason
		if reason == (devices.Phrase{}) {
			reason = endings[last.State]
		}
		g.report(c, devices.Failed, reason, 0)
	}
}

// endings are the words for runs that did not finish and say no more.
var endings = map[room.RunState]devices.Phrase{
	room.Broken:    {ZH: "场景未完成", EN: "The scene did not finish"},
	room.Cancelled: {ZH: "场景已取消", EN: "The scene was cancelled"},
	room.Undone:    {ZH: "场景已撤销", EN: "The scene was undone"},
}
