package sony

import (
	"fmt"

	"lectern/devices"
)

// The errors that more than one of the protocols has, in its own numbers.
const (
	errUndefined       = 0x0101 // serial: undefined command; SDCP: invalid item
	errRequest         = 0x0102 // SDCP: invalid item request
	errSelect          = 0x0105 // serial: what is chosen is not there
	errRange           = 0x0106 // serial
	errData            = 0x0104 // SDCP: invalid data; serial: size
	errNotNow          = 0x010A // serial: not applicable
	errNotNowSDCP      = 0x0180 // SDCP: not applicable item
	errCommunity       = 0x0201 // SDCP: different community
	errWireLeast       = 0xF010 // check sum; then framing, parity, over run, other
	errWireMost        = 0xF050
	errNetworkTimeout  = 0x2001 // SDCP, within the projector
	errInternalTimeout = 0xF001
)

// rejection puts the projector's error into words.
func rejection(code uint16) *devices.Rejection {
	r := &devices.Rejection{Code: fmt.Sprintf("%04X", code)}
	switch {
	case code == errNotNow, code == errNotNowSDCP:
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机现在不接受此命令(待机、预热或冷却中)", EN: "The projector does not take this now: it is off, warming up or cooling down"}
	case code == errNetworkTimeout, code == errInternalTimeout:
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机内部通信超时，请重试", EN: "The projector's inside did not answer it; try again"}
	case code == errUndefined, code == errRequest:
		r.Reason = devices.Phrase{ZH: "投影机不支持此命令", EN: "The projector does not know this command"}
	case code == errSelect, code == errRange, code == errData:
		r.Reason = devices.Phrase{ZH: "投影机没有此信号源或参数", EN: "The projector has no such input or value"}
	case code == errCommunity:
		r.Reason = devices.Phrase{ZH: "投影机的Community名称不同，请检查配置", EN: "The projector has another community name: check with.community of the device"}
	case code >= errWireLeast && code <= errWireMost:
		r.Reason = devices.Phrase{ZH: "传输错误，请检查连线和串口参数(38400 8E1)", EN: "Transmission error: check cable, baud rate and parity (38400 8E1)"}
	default:
		r.Reason = devices.Phrase{ZH: "投影机拒绝了此命令", EN: "The projector refused the command"}
	}
	return r
}
