package devices

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"lectern/devices/line"
)

// Result is the one word that says what became of a command.
type Result string

// The results.
const (
	Done       Result = "done"       // confirmed by the equipment
	Sent       Result = "sent"       // one-way equipment: on the wire, not confirmed
	Accepted   Result = "accepted"   // kept, or under way; the state will tell when it is done
	Refused    Result = "refused"    // a guard, lock-out or limit said no; nothing was sent
	Failed     Result = "failed"     // sent or tried, and not confirmed
	Superseded Result = "superseded" // a newer command for the same thing took its place
	Expired    Result = "expired"    // its time was over before it could be sent; nothing was sent
)

// Outcome says what became of a command, for the person who gave it and for the journal.
type Outcome struct {
	Result Result `json:"outcome"`
	// Reason is for people; empty when done.
	Reason Phrase `json:"reason,omitzero"`
	// Retry is how long the reason is expected to hold, in seconds; 0 where nobody knows.
	Retry int `json:"retry_after,omitempty"`
	// Detail is for engineers: the error with line and unit. It never holds a secret.
	Detail string `json:"detail,omitempty"`
	// Lasting says that waiting does not cure the reason: a scene does not ask again.
	Lasting bool `json:"-"`
}

// OK reports whether the command did, or will do, what was asked as far as anyone can know.
func (o Outcome) OK() bool {
	return o.Result == Done || o.Result == Sent || o.Result == Accepted
}

// ErrAccepted is what a Set returns when it will be done, but not before the caller would tire of
// waiting: a lamp that is being struck, an input chosen while the projector warms up.
var ErrAccepted = errors.New("accepted; it will be done when the equipment is ready")

// ErrSent is what a Set returns when the equipment has no way to confirm.
var ErrSent = errors.New("sent; the equipment cannot confirm")

// Refusal says that a command must not or cannot be done now. Nothing has been sent.
type Refusal struct {
	Reason Phrase
	// For is how long the reason is expected to hold; 0 where nobody knows.
	For time.Duration
	// Lasting says that the reason holds until somebody does something about it: it has no mains.
	Lasting bool
}

func (r *Refusal) Error() string {
	if r.For > 0 {
		return fmt.Sprintf("refused for about %s: %s", r.For.Round(time.Second), r.Reason.In("en"))
	}
	return "refused: " + r.Reason.In("en")
}

// Rejection is the equipment's own no: an error reply, as its manual defines it.
type Rejection struct {
	Code   string // as on the wire
	Reason Phrase
	// Busy marks a rejection that asking again later may cure (ERR3, E22).
	Busy bool
}

func (r *Rejection) Error() string {
	return fmt.Sprintf("the equipment answered %s: %s", r.Code, r.Reason.In("en"))
}

// OutcomeOf turns what a Set returned into the outcome that people see.
func OutcomeOf(err error) Outcome {
	var refusal *Refusal
	var rejection *Rejection
	switch {
	case err == nil:
		return Outcome{Result: Done}
	case errors.Is(err, ErrSent):
		return Outcome{Result: Sent, Reason: Phrase{ZH: "已发送，未确认", EN: "Sent, not confirmed"}}
	case errors.Is(err, ErrAccepted):
		return Outcome{Result: Accepted, Reason: Phrase{ZH: "已接受，设备就绪后执行", EN: "Accepted, it will be done when the equipment is ready"}}
	case errors.As(err, &refusal):
		return Outcome{
			Result: Refused, Reason: refusal.Reason, Detail: err.Error(),
			Retry: int(math.Ceil(refusal.For.Seconds())), Lasting: refusal.Lasting,
		}
	case errors.Is(err, line.ErrSuperseded):
		return Outcome{Result: Superseded, Reason: Phrase{ZH: "已被更新的操作取代", EN: "A newer command took its place"}, Detail: err.Error()}
	case errors.Is(err, line.ErrExpired):
		return Outcome{Result: Expired, Reason: Phrase{ZH: "设备忙，操作已过期，未发送", EN: "The line was busy for too long; nothing was sent"}, Detail: err.Error()}
	case errors.As(err, &rejection):
		return Outcome{Result: Failed, Reason: rejection.Reason, Detail: err.Error()}
	case errors.Is(err, line.ErrDown):
		return Outcome{Result: Failed, Reason: Phrase{ZH: "设备未连接", EN: "The equipment is not connected"}, Detail: err.Error()}
	case errors.Is(err, line.ErrNoReply), errors.Is(err, context.DeadlineExceeded):
		return Outcome{Result: Failed, Reason: Phrase{ZH: "设备未响应，请重试", EN: "No answer from the equipment, try again"}, Detail: err.Error()}
	case errors.Is(err, context.Canceled):
		return Outcome{Result: Failed, Reason: Phrase{ZH: "操作已取消", EN: "Cancelled"}, Detail: err.Error()}
	}
	return Outcome{Result: Failed, Reason: Phrase{ZH: "操作失败", EN: "It did not work"}, Detail: err.Error()}
}
