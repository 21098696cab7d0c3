package ledger

// Calls counts the orders that came from a panel, are not closed, and that nobody has answered. It copies nothing,
// so that it may be asked every second.
func (o *Orders) Calls() (calls int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range o.all {
		if one.State() != Confirmed && one.First().Via == "panel" && one.Answered().IsZero() {
			calls++
		}
	}
	return calls
}
