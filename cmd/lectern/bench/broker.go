package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// mqtt: the floor and the room on a Mosquitto as Debian has it, and the room on the broker in the daemon.
func (b *bench) mqtt(ctx context.Context) error {
	mosquitto, err := exec.LookPath("mosquitto")
	if err != nil {
		mosquitto, err = exec.LookPath("/usr/sbin/mosquitto")
	}
	if err != nil {
		fmt.Fprintln(b.out, "mqtt: there is no mosquitto on this machine; only the embedded broker is measured")
	}
	var floor50, floor99, room50, room99, own50, own99, own []time.Duration
	for range b.Repeats {
		if mosquitto != "" {
			p, err := b.throughMosquitto(ctx, mosquitto, true)
			if err != nil {
				return err
			}
			floor50, floor99 = append(floor50, p.wire.p50()), append(floor99, p.wire.p99())
			if p, err = b.throughMosquitto(ctx, mosquitto, false); err != nil {
				return err
			}
			room50, room99 = append(room50, p.wire.p50()), append(room99, p.wire.p99())
		}
		p, err := b.throughOwn(ctx)
		if err != nil {
			return err
		}
		own50, own99, own = append(own50, p.wire.p50()), append(own99, p.wire.p99()), append(own, p.wire.at(1))
	}
	if mosquitto != "" {
		b.ratio("MQTT /set sent to write at the slave, Mosquitto with its defaults, p50", median(room50), median(floor50), 1.2)
		b.ratio("MQTT /set sent to write at the slave, Mosquitto with its defaults, p99", median(room99), median(floor99), 1.2)
	}
	b.add(row{"MQTT /set sent to write at the slave, embedded broker, p50 / p99", pair(median(own50), median(own99)), "longest " + ms(median(own)), "no stall of 40 ms", keeps(median(own) < 40*time.Millisecond)})
	return nil
}

// throughMosquitto presses through a Mosquitto of its own.
func (b *bench) throughMosquitto(ctx context.Context, mosquitto string, floor bool) (*presser, error) {
	broker, stop, err := runMosquitto(ctx, mosquitto)
	if err != nil {
		return nil, err
	}
	defer stop()
	var p *presser
	err = b.onSlave(ctx, func(s *slave, address string) error {
		var side *process
		topic, ready := "floor/%d/set", ""
		if floor {
			side, err = start(ctx, b.Program, "bench", "--floor", address, "--broker", broker)
		} else {
			topic, ready = roomSet, roomState
			side, err = b.lampsOn(ctx, address, broker)
		}
		if err != nil {
			return err
		}
		defer side.stop()
		send, leave, err := byMQTT(broker, "", "", topic, ready)
		if err != nil {
			return err
		}
		defer leave()
		p = newPresser(s, send)
		p.drive(ctx, presses, perSecond, 1, 0, manyLamps)
		p.lost()
		return nil
	})
	return p, err
}

// onOwnBroker measures with a room that has a broker in it, on which send presses.
func (b *bench) onOwnBroker(ctx context.Context, measure func(s *slave, d *process, send sender) error) error {
	return b.onRoom(ctx, 1, lamps{each: manyLamps, poll: "2s", broker: "embedded"}, func(s *slave, d *process, _ time.Duration) error {
		at, err := d.says(login)
		if err != nil {
			return err
		}
		send, leave, err := byMQTT("tcp://"+at[1], at[2], at[3], roomSet, roomState)
		if err != nil {
			return err
		}
		defer leave()
		return measure(s, d, send)
	})
}

// throughOwn presses through the broker in the daemon.
func (b *bench) throughOwn(ctx context.Context) (p *presser, err error) {
	err = b.onOwnBroker(ctx, func(s *slave, _ *process, send sender) error {
		p = newPresser(s, send)
		p.drive(ctx, presses, perSecond, 1, 0, manyLamps)
		p.lost()
		return nil
	})
	return p, err
}

// lampsOn runs a room of lamps that stands on a broker.
func (b *bench) lampsOn(ctx context.Context, address, broker string) (*process, error) {
	file, err := b.write(lamps{lines: []string{modbusTCP(address)}, each: manyLamps, poll: "2s", broker: broker})
	if err != nil {
		return nil, err
	}
	d, _, err := b.daemon(ctx, "--config", file)
	return d, err
}

// runMosquitto runs a broker on a port of its own until stop. All but the port is as Mosquitto has it by itself.
func runMosquitto(ctx context.Context, program string) (url string, stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("a port for mosquitto: %w", err)
	}
	address := l.Addr().String()
	_ = l.Close()
	// Without a file it serves loopback only and lets everybody in.
	cmd := exec.CommandContext(ctx, program, "-p", address[strings.LastIndexByte(address, ':')+1:])
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("mosquitto: %w", err)
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return "tcp://" + address, stop, nil
		}
	}
	stop()
	return "", nil, errors.New("mosquitto does not open its port")
}

// Where the room stands on a broker.
const (
	roomSet   = "homie/5/bench/light-%d/power/set"
	roomState = "homie/5/bench/$state"
)

// byMQTT presses as facilities do, at QoS 1, and does not wait for what becomes of it. It begins when the topic ready says
// so, where one is given.
func byMQTT(broker, user, password, topic, ready string) (send sender, leave func(), err error) {
	c := paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID("bench").SetUsername(user).SetPassword(password).SetAutoReconnect(false))
	if t := c.Connect(); t.Wait() && t.Error() != nil {
		return nil, nil, fmt.Errorf("going to the broker: %w", t.Error())
	}
	if ready != "" {
		is := make(chan struct{})
		once := sync.OnceFunc(func() { close(is) })
		c.Subscribe(ready, 1, func(_ paho.Client, m paho.Message) {
			if string(m.Payload()) == "ready" {
				once()
			}
		})
		select {
		case <-is:
		case <-time.After(patience):
			c.Disconnect(0)
			return nil, nil, fmt.Errorf("%s never says ready", ready)
		}
	}
	words := map[bool]string{true: "true", false: "false"}
	return func(_ context.Context, coil int, on bool) error {
		t := c.Publish(fmt.Sprintf(topic, coil), 1, false, words[on])
		t.Wait()
		return t.Error() //nolint:wrapcheck // counted, not shown
	}, func() { c.Disconnect(100) }, nil
}
