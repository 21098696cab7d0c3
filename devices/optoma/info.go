package optoma

import "lectern/devices"

// powerSaid reads an INFO line that tells what the lamp does.
func powerSaid(n string) (devices.Power, bool) {
	switch n {
	case "0":
		return devices.PowerOff, true
	case "1":
		return devices.PowerWarming, true
	case "2":
		return devices.PowerCooling, true
	case "24": // system ready; only newer models say it
		return devices.PowerOn, true
	}
	return devices.PowerUnknown, false
}

// signalLost is the INFO line of a signal that cannot be shown: nothing is wrong with the projector.
const signalLost = "3"

// faultOf puts an INFO line of a fault into words. Older models know 4 to 8, newer ones the rest.
func faultOf(n string) devices.Fault {
	words := map[string]devices.Phrase{
		signalLost: {ZH: "信号超出范围", EN: "Signal out of range"},
		"4":        {ZH: "灯泡或激光故障", EN: "Lamp or laser"},
		"6":        {ZH: "风扇故障", EN: "Fan"},
		"7":        {ZH: "温度过高", EN: "Too hot"},
		"8":        {ZH: "灯泡寿命将尽", EN: "The lamp is near the end of its life"},
		"10":       {ZH: "灯泡未点亮", EN: "The lamp did not light"},
		"11":       {ZH: "主板上电失败", EN: "Main board"},
		"12":       {ZH: "色轮停转", EN: "Colour wheel"},
		"13":       {ZH: "温度过高", EN: "Too hot"},
		"14":       {ZH: "风扇1故障", EN: "Fan 1"},
		"15":       {ZH: "风扇2故障", EN: "Fan 2"},
		"16":       {ZH: "风扇3故障", EN: "Fan 3"},
		"17":       {ZH: "风扇4故障", EN: "Fan 4"},
		"18":       {ZH: "风扇5故障", EN: "Fan 5"},
		"19":       {ZH: "网络模块故障", EN: "Network module"},
		"20":       {ZH: "激光亮度低于60%", EN: "The laser is below 60 % of its brightness"},
		"21":       {ZH: "激光1温度过高", EN: "Laser 1 too hot"},
		"22":       {ZH: "激光2温度过高", EN: "Laser 2 too hot"},
		"23":       {ZH: "环境温度过高", EN: "The room is too hot"},
	}
	text, ok := words[n]
	if !ok {
		text = devices.Phrase{ZH: "未知故障", EN: "Unknown fault"}
	}
	return devices.Fault{Code: "INFO" + n, Text: text}
}

// notLit is the fault of a projector that said nothing and went off while it was to warm up.
func notLit() devices.Fault {
	return devices.Fault{Code: "Ok0", Text: devices.Phrase{
		ZH: "预热时自行关机，灯泡可能未点亮", EN: "It went off while it was to warm up: the lamp may not have lit",
	}}
}
