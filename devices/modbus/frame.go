package modbus

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/goburrow/modbus"
)

const (
	exceptionBit = 0x80
	mbapHeader   = 6 // transaction, protocol, length
)

// crc16 is the checksum of RTU frames: polynomial 0xA001 reflected, start 0xFFFF, low byte first
// (MODBUS over Serial Line V1.02, section 6.2.2).
func crc16(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, x := range b {
		crc ^= uint16(x)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

// repeats reports whether the reply to a function says all that was asked, so that it can be told
// from the reply to any other request. The replies to 15 and 16 leave the values out.
func repeats(function byte) bool {
	return function == modbus.FuncCodeWriteSingleCoil || function == modbus.FuncCodeWriteSingleRegister
}

// answers reports whether a reply (unit, function, data) of known length is one to the request: the
// exception of its own function, or what the function replies - the first six bytes again to a
// write, as many bytes as were asked for to a read. goburrow takes any other function for an
// exception, and waits for the rest of a reply that is shorter than asked; here both are noise.
//
// An adapter that hears itself sends every request back. A read is no reply to itself, since its
// byte count is wrong; a write of one coil or register looks like its reply, and only reading back
// tells.
func answers(reply, request []byte) bool {
	if reply[0] != request[0] {
		return false
	}
	if reply[1] == request[1]|exceptionBit {
		return true
	}
	if reply[1] != request[1] {
		return false
	}
	switch request[1] {
	case modbus.FuncCodeWriteSingleCoil, modbus.FuncCodeWriteSingleRegister,
		modbus.FuncCodeWriteMultipleCoils, modbus.FuncCodeWriteMultipleRegisters:
		return string(reply[2:6]) == string(request[2:6])
	}
	return int(reply[2]) == readLength(request)
}

// readLength is how many bytes of data the reply to a read has.
func readLength(request []byte) int {
	quantity := int(binary.BigEndian.Uint16(request[4:]))
	if request[1] == modbus.FuncCodeReadCoils || request[1] == modbus.FuncCodeReadDiscreteInputs {
		return (quantity + 7) / 8
	}
	return 2 * quantity
}

// replyLength is how long the reply that begins with these bytes is, without checksum; 0 where its
// function is none that is asked here.
func replyLength(got []byte) int {
	switch {
	case got[1]&exceptionBit != 0:
		return 3
	case got[1] >= modbus.FuncCodeReadCoils && got[1] <= modbus.FuncCodeReadInputRegisters:
		return 3 + int(got[2])
	case got[1] == modbus.FuncCodeWriteSingleCoil, got[1] == modbus.FuncCodeWriteSingleRegister,
		got[1] == modbus.FuncCodeWriteMultipleCoils, got[1] == modbus.FuncCodeWriteMultipleRegisters:
		return 6
	}
	return 0
}

// findRTU looks for the reply to a request anywhere in what has come. How long it is follows from
// its own function, not from the request: an exception has five bytes whatever was asked.
func findRTU(got, request []byte) (start, end int, err error) {
	for i := 0; i+5 <= len(got); i++ {
		n := replyLength(got[i:])
		if n == 0 || i+n+2 > len(got) || !answers(got[i:i+n], request) {
			continue
		}
		if binary.LittleEndian.Uint16(got[i+n:]) == crc16(got[i:i+n]) {
			return i, i + n + 2, nil
		}
	}
	return 0, 0, nil
}

// findMBAP looks for the reply to a request: the frame with its transaction number. Others are
// stepped over; what is no frame at all ends the connection, since on TCP nothing else brings the
// two ends back in step.
func findMBAP(got, request []byte) (start, end int, err error) {
	for i := 0; i+mbapHeader <= len(got); {
		length := int(binary.BigEndian.Uint16(got[i+4:]))
		if got[i+2] != 0 || got[i+3] != 0 || length < 3 || length > 254 {
			return 0, 0, errors.New("what came is no Modbus TCP: check the line's kind and port (502 is usual)")
		}
		if i+mbapHeader+length > len(got) {
			return 0, 0, nil
		}
		body := got[i+mbapHeader : i+mbapHeader+length]
		if got[i] == request[0] && got[i+1] == request[1] && len(body) == replyLength(body) && answers(body, request[mbapHeader:]) {
			return i, i + mbapHeader + length, nil
		}
		i += mbapHeader + length
	}
	return 0, 0, nil
}

// explainRTU says in words what a reply means.
func explainRTU(frame []byte) string {
	if len(frame) < 5 {
		return ""
	}
	return explain(frame[:len(frame)-2])
}

// explainMBAP is explainRTU for Modbus TCP.
func explainMBAP(frame []byte) string {
	if len(frame) < mbapHeader+3 {
		return ""
	}
	return explain(frame[mbapHeader:])
}

func explain(body []byte) string {
	switch {
	case body[1]&exceptionBit != 0:
		return fmt.Sprintf("unit %d: %s", body[0], rejection(body[2]).Error())
	case body[1] <= modbus.FuncCodeReadInputRegisters:
		return fmt.Sprintf("unit %d: % X", body[0], body[3:])
	}
	return fmt.Sprintf("unit %d: written", body[0])
}
