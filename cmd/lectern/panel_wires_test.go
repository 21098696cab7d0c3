package main

import "testing"

// A technician at the panel sees what goes over a wire, chooses another, and holds it to read it.
func TestWiresByFinger(t *testing.T) {
	in := browser(t)
	h := demo(t)
	p := hang(t, in, h.url, wall)
	p.unlock()
	p.system()
	p.touch("[data-tab=wires]")
	p.touch("[data-line=bus]")
	h.set("door-lights.power", true)
	p.reads(".list.log", "write coil 0 on")
	// Held, it stays as it is; let go, it shows what came meanwhile.
	p.touch("[data-held]")
	p.sees("[data-held=true]")
	h.set("door-lights.power", false)
	if eval[bool](p, "document.querySelector('.list.log').innerText.includes('write coil 0 off')") {
		t.Error("it went on while it was held")
	}
	p.touch("[data-held]")
	p.reads(".list.log", "write coil 0 off")
	// Another line has its own frames.
	p.touch("[data-line=rack]")
	p.reads(".list.log", "channels from 1 on")
	p.until("nothing of the bus is left", "!document.querySelector('.list.log').innerText.includes('write coil')")
	// A fault stands out.
	h.fault("rack", "silence")
	p.reads(".list.log .bad", "no reply")
}
