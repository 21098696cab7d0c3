package meeting

import (
	"lectern/devices"
	"lectern/scenes/room"
)

// How a temperature stands to the band that the service instruction has the room kept in.
const (
	InBand    = "in"
	BelowBand = "below"
	AboveBand = "above"
	NoBand    = "unknown" // nobody knows it now: a value of before is none
)

// BandOf says how a temperature stands to a band, in °C; both ends belong to it.
func BandOf(p room.PropertyState, low, high int) string {
	switch {
	case p.Value.IsZero() || p.Quality != devices.Reported:
		return NoBand
	case p.Value.Float() < float64(low):
		return BelowBand
	case p.Value.Float() > float64(high):
		return AboveBand
	}
	return InBand
}
