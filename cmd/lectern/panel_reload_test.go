package main

import (
	"fmt"
	"testing"

	"lectern/configs"
)

// A technician who has a file with faults read sees at the panel that it was not taken and what is wrong;
// and a panel shows a room that is another without being touched.
func TestAPanelShowsWhatBecameOfTheRoomFile(t *testing.T) {
	in := browser(t)
	h := demo(t)
	p := hang(t, in, h.url, wall)
	p.unlock()
	p.system()
	p.touch("[data-tab=health]")
	p.misses("[data-reload]")
	h.tryReload(func() (*configs.Room, error) {
		return nil, fmt.Errorf("no: %w", configs.Faults{{File: "room.yaml", Line: 7, Column: 3, What: "there is no line \"bsu\""}})
	})
	p.reads("[data-reload]", "room.yaml:7:3: there is no line")
	p.reads("[data-reload]", "房间文件有错")
	h.reload(func(r *configs.Room) { device(r, "door-lights").Name.ZH = "入口灯" })
	p.misses("[data-reload]")
	p.reads(".list", "入口灯")
}
