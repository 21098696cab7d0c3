package room

import (
	"time"

	"lectern/devices"
)

// Automatic is something that the room does by itself: what people see of it and switch.
type Automatic struct {
	Kind    string         `json:"kind"` // schedule, rule, auto_off
	ID      string         `json:"id"`
	Name    devices.Phrase `json:"name"`
	On      bool           `json:"on"`
	Next    time.Time      `json:"next,omitzero"` // when it acts next, where that is known
	Last    time.Time      `json:"last,omitzero"` // when it last acted or should have
	Outcome string         `json:"outcome,omitempty"`
	Reason  devices.Phrase `json:"reason,omitzero"`
	// Until is when an auto-off acts, while it asks whether somebody is there; zero while it does not.
	Until time.Time `json:"until,omitzero"`
}

// Emergency is how the alarm of the building stands.
type Emergency struct {
	On     bool           `json:"on"`
	Reason devices.Phrase `json:"reason"`
	Since  time.Time      `json:"since,omitzero"` // of the alarm, or of the last all-clear
	// Fault: the contact cannot be read. It is neither an alarm nor its end.
	Fault bool `json:"fault"`
}

// PostAutomatic tells how something that the room does by itself stands.
func (r *Room) PostAutomatic(a Automatic) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	key := a.Kind + " " + a.ID
	c := r.state.automatic[key]
	if c == nil {
		c = &cell{}
		r.state.automatic[key] = c
	} else if *c.automatic == a {
		return
	}
	c.automatic = &a
	r.state.touch(c)
}

// PostEmergency tells how the alarm stands.
func (r *Room) PostEmergency(e Emergency) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	if r.state.emergency == nil {
		r.state.emergency = &cell{}
	}
	r.state.emergency.emergency = &e
	r.state.touch(r.state.emergency)
}

// Touch says that a person, or a machine on a person's behalf, is doing something here.
func (r *Room) Touch() {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	r.state.touched = time.Now()
	r.state.wake()
}

// Touched returns when Touch was last called; zero for never.
func (r *Room) Touched() time.Time {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	return r.state.touched
}

// Fed reports whether a device has mains, as far as the circuit that feeds it says.
func (r *Room) Fed(device string) bool {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	c := r.state.devices[device]
	return c == nil || c.device.Fed
}
