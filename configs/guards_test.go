package configs

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestGuardsAreStuckExactlyWhereNothingCanBeReached holds the search for circles against the room
// itself: from a room where every guarded switch stands the wrong way, every switch is turned that
// the guards allow, until none is left. What could never be turned is what a fault must name.
func TestGuardsAreStuckExactlyWhereNothingCanBeReached(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const switches = 5
		var guards []Guard
		name := func(label string) string {
			return fmt.Sprintf("s%d.power", rapid.IntRange(0, switches-1).Draw(t, label))
		}
		for i := range rapid.IntRange(1, 6).Draw(t, "guards") {
			g := Guard{ID: fmt.Sprintf("g%d", i), Set: map[string]Words{name("set"): {"on"}}, Require: map[string]Words{}}
			for range rapid.IntRange(1, 2).Draw(t, "needs") {
				g.Require[name("require")] = Words{"on"}
			}
			guards = append(guards, g)
		}
		on := make(map[string]bool)
		for turned := true; turned; {
			turned = false
			for i := range switches {
				s := fmt.Sprintf("s%d.power", i)
				if on[s] {
					continue
				}
				allowed := true
				for _, g := range guards {
					for need := range g.Require {
						allowed = allowed && (g.Set[s] == nil || on[need])
					}
				}
				if allowed {
					on[s], turned = true, true
				}
			}
		}
		c := &checker{document: &document{file: "room.yaml", spots: map[path]spot{}}, room: &Room{Guards: guards}, devices: map[string]*Device{}}
		for i := range switches {
			c.devices[fmt.Sprintf("s%d", i)] = &Device{Kind: "circuit"}
		}
		c.deadlocks()
		if want := len(on) < switches; (len(c.faults) > 0) != want {
			t.Fatalf("%d of %d can be turned on, and the faults are: %v", len(on), switches, c.faults)
		}
		for _, f := range c.faults {
			for s := range on {
				if strings.Contains(f.What, s) {
					t.Fatalf("%s can be turned on, and is named in: %v", s, f)
				}
			}
		}
	})
}
