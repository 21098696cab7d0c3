// Package sony speaks the three protocols of Sony's projectors (VPL series).
//
//   - sony-serial, on RS-232 at 38400 baud with even parity (8E1): frames of eight bytes, A9 to 9A.
//   - sony-sdcp, on TCP port 53484: SDCP, also called PJ Talk, with the same items in another frame
//     and a community name of four characters, SONY from the factory.
//   - sony-adcp, on TCP port 53595: ADCP, lines of text. On some models (FH series) the same lines go
//     over the serial port.
//
// What the projectors are like, and what it means here:
//
//   - Inputs of the first two are numbers; the room file has them as the protocol manual does, in hex
//     and without zeros in front: 2 is input A or HDMI 1, 3 is B or HDMI 2. Those of ADCP are words:
//     hdmi1.
//   - On the serial port 50 ms are kept between two commands.
//   - In deep standby a projector on a serial line is woken by one command and obeys the next. With
//     the setting `wake`, 3s by default, it is therefore told to go on once more after so long, where
//     it does not say by then that it has begun. 0s tells it once.
//   - On the serial port business models go on and off by the keys of the remote control (172E, 172F),
//     home models by an item (0130). Sources differ in whether a key is acknowledged. The setting
//     `power` has key (acknowledged, the default), silent-key or item.
//   - Sources differ in what the digest of ADCP is made of: the random text of the greeting with the
//     password right behind it, as the clients that people run against real projectors have it, or with
//     a space between. The setting `spaced` says so; the default is no space. The password is Projector
//     from the factory.
//   - On the network a projector closes a connection on which nothing is said for 30 seconds. The line
//     opens it again at once. A room that polls less often than that loses nothing by it but the moment.
package sony

import (
	"errors"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const replyTime = 2 * time.Second

// Drivers returns the drivers "sony-serial", "sony-sdcp" and "sony-adcp".
func Drivers() []devices.Driver {
	claims := func(any) []string { return []string{"the projector"} }
	return []devices.Driver{
		{
			Name: "sony-serial", Feedback: "state, lamp, faults", Equipment: "Sony VPL projectors on their serial port",
			Facts: "Sony Protocol Manual for VPL-VW320/VW520 and the VPL business series, RS-232C",
			Kinds: []string{"projector"}, Lines: []line.Kind{line.Serial, line.TCP}, Claims: claims,
			Settings: func() any { return &SerialSettings{Power: powerKey, Wake: wakeUsual} },
			New:      func(e devices.Env, settings any) (any, error) { return newSerial(e, *settings.(*SerialSettings)) },
		},
		{
			Name: "sony-sdcp", Feedback: "state, lamp, faults", Equipment: "Sony VPL projectors with SDCP (PJ Talk)",
			Facts: "Sony Protocol Manual for VPL-VW320/VW520, network (SDCP)",
			Kinds: []string{"projector"}, Lines: []line.Kind{line.TCP}, Claims: claims,
			Settings: func() any { return &SDCPSettings{Community: communityUsual} },
			New:      func(e devices.Env, settings any) (any, error) { return newSDCP(e, *settings.(*SDCPSettings)) },
		},
		{
			Name: "sony-adcp", Feedback: "state, lamp, faults", Equipment: "Sony VPL projectors with ADCP",
			Facts: "Sony Protocol Manual, Supported Command List (ADCP), 1st edition revised 1",
			Kinds: []string{"projector"}, Lines: []line.Kind{line.TCP, line.Serial}, Claims: claims,
			Settings: func() any { return &ADCPSettings{} },
			New:      func(e devices.Env, settings any) (any, error) { return newADCP(e, *settings.(*ADCPSettings)) },
		},
	}
}

func rejected(err error) bool { return errors.As(err, new(*devices.Rejection)) }

// optional takes a rejected question for no answer: not every model and state has all of them.
func optional[T any](value T, err error) (T, error) {
	if rejected(err) {
		var none T
		return none, nil
	}
	return value, err
}
