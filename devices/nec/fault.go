package nec

import (
	"fmt"
	"strings"

	"lectern/devices"
)

// faultBit is one bit of 009 ERROR STATUS.
type faultBit struct {
	data int // the manual's DATA01 is 1
	bit  int
	text devices.Phrase
}

// faultBits are the bits of 009 in the order of the manual. The older manual has bit 4 of DATA04 and
// not bits 5 to 7 nor DATA09; the newer one has them the other way round. Both call bit 7 of DATA01
// the end of the lamp's life. Bit 0 of DATA02 is a lamp beyond its limit in the older one and a lamp
// soon to be replaced in the newer: the words say no more than both.
func faultBits() []faultBit {
	return []faultBit{
		{1, 0, devices.Phrase{ZH: "灯泡盖打开", EN: "Lamp cover open"}},
		{1, 1, devices.Phrase{ZH: "温度过高(双金属片)", EN: "Too hot (bimetal switch)"}},
		{1, 3, devices.Phrase{ZH: "风扇故障", EN: "Fan"}},
		{1, 4, devices.Phrase{ZH: "风扇故障", EN: "Fan"}},
		{1, 5, devices.Phrase{ZH: "电源故障", EN: "Power supply"}},
		{1, 6, devices.Phrase{ZH: "灯泡故障", EN: "Lamp"}},
		{1, 7, devices.Phrase{ZH: "灯泡寿命已到", EN: "The lamp is at the end of its life"}},
		{2, 0, devices.Phrase{ZH: "灯泡使用时间告警", EN: "Lamp hours warning"}},
		{2, 1, devices.Phrase{ZH: "格式板故障", EN: "Formatter"}},
		{2, 2, devices.Phrase{ZH: "灯泡2故障", EN: "Lamp 2"}},
		{3, 1, devices.Phrase{ZH: "FPGA故障", EN: "FPGA"}},
		{3, 2, devices.Phrase{ZH: "温度过高(传感器)", EN: "Too hot (sensor)"}},
		{3, 3, devices.Phrase{ZH: "灯泡未安装", EN: "Lamp not present"}},
		{3, 4, devices.Phrase{ZH: "灯泡数据错误", EN: "Lamp data"}},
		{3, 5, devices.Phrase{ZH: "镜头盖故障", EN: "Mirror cover"}},
		{3, 6, devices.Phrase{ZH: "灯泡2寿命已到", EN: "Lamp 2 is at the end of its life"}},
		{3, 7, devices.Phrase{ZH: "灯泡2使用时间告警", EN: "Lamp 2 hours warning"}},
		{4, 0, devices.Phrase{ZH: "灯泡2未安装", EN: "Lamp 2 not present"}},
		{4, 1, devices.Phrase{ZH: "灯泡2数据错误", EN: "Lamp 2 data"}},
		{4, 2, devices.Phrase{ZH: "积尘导致温度过高", EN: "Too hot because of dust: clean the filter"}},
		{4, 3, devices.Phrase{ZH: "异物传感器故障", EN: "Foreign matter sensor"}},
		{4, 4, devices.Phrase{ZH: "水泵故障", EN: "Pump"}},
		{4, 5, devices.Phrase{ZH: "镇流器通信故障", EN: "Ballast communication"}},
		{4, 6, devices.Phrase{ZH: "光圈校准故障", EN: "Iris calibration"}},
		{4, 7, devices.Phrase{ZH: "镜头未正确安装", EN: "The lens is not installed properly"}},
		{9, 0, devices.Phrase{ZH: "纵向放置时机盖朝上", EN: "The portrait cover side is up"}},
		{9, 1, devices.Phrase{ZH: "联锁开关断开", EN: "The interlock switch is open"}},
		{9, 2, devices.Phrase{ZH: "系统故障(从CPU)", EN: "System (slave CPU)"}},
		{9, 3, devices.Phrase{ZH: "系统故障(格式板)", EN: "System (formatter)"}},
	}
}

// extended is bit 7 of DATA02: there is more in DATA09. It is no fault of its own.
const extended = 0x80

// faultOf puts the data of 009 into words, all that is wrong at once. The code is the data as on the
// wire, without the zeros at the end.
func faultOf(data []byte) devices.Fault {
	left := append([]byte(nil), data...)
	if len(left) > 1 {
		left[1] &^= extended
	}
	var zh, en []string
	say := func(p devices.Phrase) {
		if len(en) > 0 && en[len(en)-1] == p.EN { // the two bits of the fan
			return
		}
		zh, en = append(zh, p.ZH), append(en, p.EN)
	}
	for _, f := range faultBits() {
		if f.data <= len(left) && left[f.data-1]&(1<<f.bit) != 0 {
			left[f.data-1] &^= 1 << f.bit
			say(f.text)
		}
	}
	for _, b := range left {
		if b != 0 {
			say(devices.Phrase{ZH: "未知故障", EN: "Unknown fault"})
			break
		}
	}
	end := len(data)
	for end > 0 && data[end-1] == 0 {
		end--
	}
	if len(en) == 0 && end > 0 {
		say(devices.Phrase{ZH: "投影机报告故障", EN: "The projector reports a fault"})
	}
	if len(en) == 0 {
		return devices.Fault{}
	}
	return devices.Fault{
		Code: fmt.Sprintf("% X", data[:end]),
		Text: devices.Phrase{ZH: strings.Join(zh, "；"), EN: strings.Join(en, "; ")},
	}
}
