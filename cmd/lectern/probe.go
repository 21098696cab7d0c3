package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/all"
	"lectern/devices/line"
	"lectern/devices/pjlink"
	"lectern/devices/probe"
)

type probeVerb struct {
	Line   string
	Config string

	Port    string
	Address string
	Kind    string
	Baud    []int
	Format  string

	Driver    []string
	All       bool
	Units     string
	Registers int
	Timeout   time.Duration
	Search    bool
	For       time.Duration
	Local     string
	JSON      bool
}

func (v *probeVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "probe [LINE]",
		Short: "Look for what answers on a line, by questions that change nothing.",
		Long: `Asks what changes nothing and tells who answers: Modbus units with what can be read of them
(functions 1 to 4, never a write), projectors, players, matrices, sequencers, motors. On a serial line it
tries the speeds that the equipment comes with. What it does is told on stderr, what it finds on stdout;
interrupt it at any time. It needs the line for itself: stop the daemon first.

A LINE is one of the room file. In its place: --port or --address.`,
		Example: `  lectern probe bus --config room.yaml
  lectern probe --port /dev/ttyUSB0 --units 1-32
  lectern probe --address 192.168.1.31:4352
  lectern probe --search`,
		RunE: func(c *cobra.Command, given []string) error {
			v.Line = first(given)
			return v.Run(c.Context(), t)
		},
	}
	f := c.Flags()
	pathFlag(f, &v.Config, "config", "", "Read the room from `FILE`. Left out: the demo room.")
	f.StringVar(&v.Port, "port", "", "Look at this serial `PORT`, such as /dev/ttyUSB0.")
	f.StringVar(&v.Address, "address", "", "Look at `HOST:PORT`; with --search: broadcast to it.")
	choiceFlag(f, &v.Kind, "kind", "Take the line to be of this `KIND`: serial, tcp or modbus-tcp. Left out: as port or address suggest.", "serial", "tcp", "modbus-tcp")
	f.IntSliceVar(&v.Baud, "baud", nil, "Try these speeds only, such as `9600,19200`. Left out: those that equipment comes with.")
	f.StringVar(&v.Format, "format", "", "Try this format of data bits, parity and stop bits first, such as `8N1`.")
	f.StringSliceVar(&v.Driver, "driver", nil, "Look for the equipment of the driver `NAME` only; may be given again. Left out: of those that the room file has on the line, else of all.")
	f.BoolVar(&v.All, "all", false, "Look for the equipment of all drivers, whatever the room file has on the line.")
	f.StringVar(&v.Units, "units", "1-247", "Ask the Modbus units `FROM-TO`")
	f.IntVar(&v.Registers, "registers", 16, "Read `N` coils, inputs and registers of each unit")
	f.DurationVar(&v.Timeout, "timeout", 200*time.Millisecond, "Give a Modbus unit this `TIME` to answer")
	f.BoolVar(&v.Search, "search", false, "Ask all PJLink projectors of the network, by a UDP broadcast (class 2).")
	f.DurationVar(&v.For, "for", 30*time.Second, "Wait this `TIME` for answers to --search")
	f.StringVar(&v.Local, "local", ":4352", "Hear the answers to --search at `ADDR`.")
	f.BoolVar(&v.JSON, "json", false, "Print JSON, one object a line.")
	hide(f, "local")
	return c
}

// Run looks at a line.
func (v *probeVerb) Run(ctx context.Context, t terminal) error {
	if v.Search {
		return v.search(ctx, t)
	}
	plan, err := v.plan()
	if err != nil {
		return err
	}
	n := 0
	err = probe.Run(ctx, plan, func(f probe.Found) { n++; v.tell(t, f) }, func(what string) { fmt.Fprintln(t.err, what) })
	switch {
	case err != nil && strings.Contains(err.Error(), "in use by another program"):
		return fmt.Errorf("%w; a lectern that runs holds it: stop it first, or see what it hears with lectern trace", err)
	case err != nil && n == 0:
		return err //nolint:wrapcheck // says where it looked
	case err != nil:
		fmt.Fprintln(t.err, err)
	case n == 0:
		return errors.New("nothing answers: is it powered, are A and B or receive and transmit swapped, is its speed another?")
	}
	return nil
}

func (v *probeVerb) tell(t terminal, f probe.Found) {
	if v.JSON {
		_ = json.NewEncoder(t.out).Encode(f)
		return
	}
	where := f.Protocol
	if f.Baud > 0 {
		where += fmt.Sprintf(" at %d baud %s", f.Baud, f.Format)
	}
	if f.Unit != "" {
		where += ", " + f.Unit
	}
	fmt.Fprintf(t.out, "%s: %s\n", where, f.What)
}

// plan says where to look, and for what.
func (v *probeVerb) plan() (probe.Plan, error) {
	p := probe.Plan{Bauds: v.Baud, Drivers: all.Drivers(), Settings: make(map[string][]any), Registers: v.Registers}
	var err error
	if p.From, p.To, err = span(v.Units); err != nil {
		return p, err
	}
	if v.Registers < 1 || v.Registers > 125 {
		return p, fmt.Errorf("%w: --registers %d: it is 1 to 125, as many as one Modbus answer holds", errUsage, v.Registers)
	}
	for _, b := range v.Baud {
		if b < 50 || b > 4_000_000 {
			return p, fmt.Errorf("%w: --baud %d: no port can do that", errUsage, b)
		}
	}
	by := 0
	for _, given := range []string{v.Line, v.Port, v.Address} {
		if given != "" {
			by++
		}
	}
	if by != 1 {
		return p, fmt.Errorf("%w: give a line of the room file, or --port, or --address", errUsage)
	}
	if v.Line != "" {
		err = v.fromRoom(&p)
	} else {
		err = v.byHand(&p)
	}
	if err != nil {
		return p, err
	}
	p.Line.Timeout = v.Timeout
	if v.Format != "" {
		p.Line.Format = v.Format
		if p.Line.Baud == 0 {
			p.Line.Baud = 9600
		}
	}
	if len(v.Driver) > 0 {
		for _, name := range v.Driver {
			if d, ok := all.Find(name); !ok || d.Probe == nil {
				return p, fmt.Errorf("%w: --driver %s: there is none that can be looked for; there is %s", errUsage, name, strings.Join(findable(), ", "))
			}
		}
		p.Drivers = slices.DeleteFunc(p.Drivers, func(d devices.Driver) bool { return !slices.Contains(v.Driver, d.Name) })
	}
	return p, nil
}

func findable() (names []string) {
	for _, d := range all.Drivers() {
		if d.Probe != nil {
			names = append(names, d.Name)
		}
	}
	return names
}

// fromRoom takes a line of a room file, with what the file has on it.
func (v *probeVerb) fromRoom(p *probe.Plan) error {
	cfg, err := load(v.Config)
	if err != nil {
		return err
	}
	var ids []string
	for _, l := range cfg.Lines {
		ids = append(ids, l.ID)
		if l.ID == v.Line {
			p.Line = line.Config{ID: l.ID, Kind: line.Kind(l.Kind), Port: l.Port, Baud: l.Baud, Format: l.Format, Address: l.Address, Gap: l.Gap}
		}
	}
	if p.Line.ID == "" {
		return fmt.Errorf("there is no line %q; there is %s", v.Line, strings.Join(ids, ", "))
	}
	hang := func(on, driver string, settings any) {
		if on == v.Line {
			p.Settings[driver] = append(p.Settings[driver], settings)
		}
	}
	for _, d := range cfg.Devices {
		hang(d.Line, d.Driver, d.Settings)
		if d.Relays != nil {
			for _, r := range []configs.Relay{d.Relays.Up, d.Relays.Down} {
				hang(r.Line, r.Driver, r.Settings)
			}
		}
	}
	if len(p.Settings) > 0 && !v.All && len(v.Driver) == 0 {
		p.Drivers = slices.DeleteFunc(p.Drivers, func(d devices.Driver) bool { return p.Settings[d.Name] == nil })
	}
	return nil
}

// byHand takes a line that no room file has.
func (v *probeVerb) byHand(p *probe.Plan) error {
	kind := line.Kind(v.Kind)
	_, port, err := net.SplitHostPort(v.Address)
	switch {
	case v.Port != "" && kind == "":
		kind = line.Serial
	case v.Address != "" && err != nil:
		return fmt.Errorf("%w: --address %s: write host:port", errUsage, v.Address)
	case v.Address != "" && kind == "" && port == "502":
		kind = line.ModbusTCP
	case v.Address != "" && kind == "":
		kind = line.TCP
	}
	if (kind == line.Serial) != (v.Port != "") {
		return fmt.Errorf("%w: a serial line has --port, the others --address", errUsage)
	}
	p.Line = line.Config{ID: v.Port + v.Address, Kind: kind, Port: v.Port, Address: v.Address}
	return nil
}

// span reads 1-247, or one number.
func span(s string) (from, to int, err error) {
	first, last, both := strings.Cut(s, "-")
	if !both {
		last = first
	}
	from, wrong := strconv.Atoi(strings.TrimSpace(first))
	to, wrong2 := strconv.Atoi(strings.TrimSpace(last))
	if wrong != nil || wrong2 != nil || from < 1 || to > 247 || from > to {
		return 0, 0, fmt.Errorf("%w: --units %s: write 1-247, or a part of it", errUsage, s)
	}
	return from, to, nil
}

// search asks the projectors of the network, and then each of them what it is.
func (v *probeVerb) search(ctx context.Context, t terminal) error {
	where := v.Address
	if where == "" {
		where = "255.255.255.255:4352"
	}
	fmt.Fprintf(t.err, "PJLink search at %s; projectors of class 2 answer within 10 s, and %s is waited\n", where, v.For)
	waiting, cancel := context.WithTimeout(ctx, v.For)
	defer cancel()
	var addresses []string
	err := pjlink.Search(waiting, v.Local, where, func(address, mac string) {
		addresses = append(addresses, address)
		fmt.Fprintf(t.err, "%s answers (%s)\n", address, mac)
	})
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	if len(addresses) == 0 {
		return errors.New("no projector of class 2 answers; those of class 1 are asked one by one: lectern probe --address HOST:4352")
	}
	driver, _ := all.Find("pjlink")
	for _, address := range addresses {
		n := 0
		plan := probe.Plan{Line: line.Config{ID: address, Kind: line.TCP, Address: address}, Drivers: []devices.Driver{driver}}
		err := probe.Run(ctx, plan, func(f probe.Found) { n++; v.tell(t, f) }, func(string) {})
		if ctx.Err() != nil {
			return errors.New("given up")
		}
		if n == 0 {
			v.tell(t, probe.Found{Line: address, Protocol: "PJLink", Drivers: []string{"pjlink"}, What: fmt.Sprintf("answers the search and not its questions: %v", err)})
		}
	}
	return nil
}
