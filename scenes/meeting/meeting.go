// Package meeting knows the meetings of a room: from an iCalendar feed or file, or entered by hand; how
// far each has come; what staff have ticked off; and what a meeting leaves behind, its record
// (会议服务记录).
//
// A calendar is written by strangers. It is fetched with bounds on time and size, read with bounds on
// everything in it, and where it is down, huge or malformed the room goes on with the last good one and
// staff are told since when.
package meeting

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Meeting is one meeting in the room.
type Meeting struct {
	ID        string    `json:"id"` // of this occurrence; stable as long as the calendar's own name for it is
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	AllDay    bool      `json:"all_day,omitempty"`
	Title     string    `json:"title"`
	Place     string    `json:"place,omitempty"`
	Organizer string    `json:"organizer,omitempty"`
	Layout    string    `json:"layout,omitempty"` // 布局
	Heads     int       `json:"heads,omitempty"`  // how many people; 0 where nobody said
	Needs     string    `json:"needs,omitempty"`  // requirements, as written
	Cancelled bool      `json:"cancelled,omitempty"`
	ByHand    bool      `json:"by_hand,omitempty"`
}

// key makes an id of what names a meeting in its calendar: its UID and, of a recurring one, the time at
// which the rule puts it, which stays when somebody moves the one occurrence.
func key(uid string, at time.Time) string {
	sum := sha256.Sum256([]byte(uid + "\x00" + at.UTC().Format(time.RFC3339)))
	return hex.EncodeToString(sum[:8])
}

// Overlaps reports whether two meetings want the room at the same time.
func (m Meeting) Overlaps(other Meeting) bool {
	return !m.AllDay && !other.AllDay && !m.Cancelled && !other.Cancelled && m.Start.Before(other.End) && other.Start.Before(m.End)
}
