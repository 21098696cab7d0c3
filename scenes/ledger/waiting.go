package ledger

// Waiting counts the orders that are not closed, and of them the calls: those from a panel that nobody
// has answered. It copies nothing, so that it may be asked every second.
func (o *Orders) Waiting() (orders, calls int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range o.all {
		if one.State() == Confirmed {
			continue
		}
		orders++
		if one.First().Via == "panel" && one.Answered().IsZero() {
			calls++
		}
	}
	return orders, calls
}
