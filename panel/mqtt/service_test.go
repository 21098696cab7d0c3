package mqtt

import (
	"sync/atomic"
	"testing"

	"lectern/scenes/meeting"
)

func TestARoomTellsWhatStaffHaveToDo(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		var now atomic.Pointer[Service]
		now.Store(&Service{})
		_, f := show(t, v, func(c *Config) { c.Service = func() Service { return *now.Load() } })
		root := "homie/5/hall/service/"
		f.says(t, root+"name-zh", "厅")
		f.says(t, root+"name-en", "Hall")
		f.says(t, root+"phase", "none")
		f.says(t, root+"calls", "0")
		now.Store(&Service{Phase: meeting.Session, Calls: 1})
		f.says(t, root+"phase", "session")
		f.says(t, root+"calls", "1")
		unknown := func(string, string) bool { return true }
		for _, fault := range faultsOf("homie/5/hall", retainedBy(t, v, "homie/5/hall", f), unknown) {
			t.Error(fault)
		}
	})
}
