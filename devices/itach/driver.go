// Package itach drives equipment that has nothing but an infrared receiver, through the emitters of
// Global Caché: iTach, Flex, Global Connect and GC-100, over TCP port 4998.
//
// What the emitters are like, and what it means here:
//
//   - A code goes out with "sendir,1:2,ID,38000,1,1,342,171,..." and CR. "completeir,1:2,ID" comes
//     when it has been sent, errors in three wordings by generation, and "busyIR" while another
//     controller sends on the connector; then it is tried again for as long as the command may take.
//   - One command is under way at a time. Connectors could send side by side, but nobody presses two
//     buttons in the same tenth of a second.
//   - The emitter is asked for its version now and then. That tells whether it is there; of the
//     equipment it tells nothing.
//
// What infrared is like, and what it means here:
//
//   - Nothing comes back. What was sent is assumed, never reported; the outcome of a command is
//     "sent". At the start nothing is known, and nothing is sent to make it known.
//   - Where an answer is lost it is not certain that the code went out, and nothing is assumed any
//     more. After eject nobody knows whether the tray is open.
//   - Codes that toggle are of no use for power: the room would switch off what somebody has switched
//     on by hand. Use the discrete on and off codes that the maker publishes.
//   - The power of a player is a device of its own, with driver itach-switch at the same connector.
//   - Volume up and down are steps from a place that nobody knows, and so are no volume.
//
// Each device says which connector its emitter is plugged into, and names its codes by what they do.
// They are learned Pronto hex, as databases and makers publish them, or sendir as the learner of the
// emitter prints it.
package itach

import (
	"lectern/devices"
	"lectern/devices/line"
)

// facts names where the protocol's facts come from.
const facts = "Global Caché iTach API Specification 1.5 (sendir, busyIR, error codes); Unified TCP API (errors of Flex); " +
	"GC-100 error numbers as in drivers of the field; Pronto hex: the format of learned codes"

// Drivers returns the drivers "itach-player", "itach-matrix", "itach-projector" and "itach-switch".
func Drivers() []devices.Driver {
	return []devices.Driver{
		driver("itach-player", "players and recorders with infrared remotes, by Global Caché emitters",
			[]string{"player", "recorder"}, playerRoles(), newPlayer),
		driver("itach-matrix", "switchers and matrices with infrared remotes, by Global Caché emitters",
			[]string{"matrix"}, roles{}, on(func(e *emitter) any { return selector{e} })),
		driver("itach-projector", "projectors and displays with infrared remotes, by Global Caché emitters",
			[]string{"projector"}, roles{must: []string{powerOn, powerOff}}, on(func(e *emitter) any { return beam{e} })),
		driver("itach-switch", "what infrared remotes switch on and off, by Global Caché emitters",
			[]string{"circuit", "light"}, roles{must: []string{powerOn, powerOff}, may: []string{}}, on(func(e *emitter) any { return contact{e} })),
	}
}

func driver(name, equipment string, kinds []string, r roles, make func(devices.Env, *Settings) (any, error)) devices.Driver {
	return devices.Driver{
		Name: name, Equipment: equipment, Facts: facts, Kinds: kinds,
		Lines:    []line.Kind{line.TCP},
		Bus:      "itach", // whatever hangs on its connectors
		OneWay:   true,
		Settings: func() any { return &Settings{Module: 1, Model: modelITach, Repeat: 1, roles: r} },
		Claims:   func(settings any) []string { return settings.(*Settings).claims() },
		New:      func(env devices.Env, settings any) (any, error) { return make(env, settings.(*Settings)) },
	}
}

// on makes a capability that is no more than its emitter.
func on(capability func(*emitter) any) func(devices.Env, *Settings) (any, error) {
	return func(env devices.Env, s *Settings) (any, error) {
		e, err := s.emitter(env)
		if err != nil {
			return nil, err
		}
		return capability(e), nil
	}
}
