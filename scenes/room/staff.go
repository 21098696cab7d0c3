package room

import (
	"slices"
	"time"
)

// Staff is what panels and machines see of the work of property staff. Nothing that anybody wrote is in
// it: the state may be read without a PIN.
type Staff struct {
	// Maintenance is until when the room is worked on; zero while it is not.
	Maintenance time.Time `json:"maintenance,omitzero"`
	// Unclosed counts the repair orders that are not closed, and Orders has the latest of them, newest first.
	Unclosed int     `json:"unclosed"`
	Orders   []Order `json:"orders,omitempty"`
}

// Order is how far a repair order has come.
type Order struct {
	ID     string    `json:"id"`
	State  string    `json:"state"`            // open, assigned, fixed
	Device string    `json:"device,omitempty"` // empty for the room itself
	Opened time.Time `json:"opened"`
}

// PostStaff tells how the work of staff stands. The list is the room's from then on.
func (r *Room) PostStaff(s Staff) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	c := r.state.staff
	if c == nil {
		c = &cell{}
		r.state.staff = c
	} else if before := c.staff; before.Maintenance.Equal(s.Maintenance) && before.Unclosed == s.Unclosed && slices.Equal(before.Orders, s.Orders) {
		return
	}
	c.staff = &s
	r.state.touch(c)
}
