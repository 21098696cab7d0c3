package mqtt

import (
	"context"
	"net"
	"syscall"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/configs"
)

func TestBrokerIsForThisMachine(t *testing.T) {
	for _, address := range []string{"0.0.0.0:1883", "192.168.1.5:1883", ":1883", "localhost:1883", "nonsense"} {
		if _, err := NewBroker(context.Background(), address, "hall", nil, silent); err == nil {
			t.Errorf("bound to %s", address)
		}
	}
}

// guest comes in with a login of the room file.
func guest(b *Broker, user, password string, change func(*paho.ClientOptions)) (paho.Client, error) {
	o := paho.NewClientOptions().AddBroker(b.Address()).SetUsername(user).SetPassword(password).SetAutoReconnect(false).SetConnectTimeout(patience)
	if change != nil {
		change(o)
	}
	c := paho.NewClient(o)
	token := c.Connect()
	token.WaitTimeout(patience)
	return c, token.Error()
}

func TestEachLoginHasItsTopics(t *testing.T) {
	b, err := NewBroker(context.Background(), "127.0.0.1:0", "hall", []configs.User{
		{Name: "screen", Password: "1", Role: "view"}, {Name: "bms", Password: "2", Role: roleOperate}, {Name: "relay", Password: "3", Role: roleEquipment},
	}, silent)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = b.Close(), b.Close() }() // a second one does no harm
	if user, password := b.Login(); user != facilitiesUser || len(password) < 20 {
		t.Errorf("%s %s", user, password)
	}
	for user, password := range map[string]string{"": "", "bms": "1", "nobody": "", facilitiesUser: "", roomUser: "room"} {
		if c, err := guest(b, user, password, nil); err == nil {
			t.Errorf("%q is let in with %q", user, password)
			c.Disconnect(0)
		}
	}
	v := &venue{address: b.address, broker: b}
	b.logins[facilitiesUser] = login{"facilities", roleOperate} // for listen
	f := listen(t, v)
	all := map[string]bool{
		"homie/5/hall/spot/level/set": false, "homie/5/hall/spot/level": false, "homie/5/hall/$state": false, "homie/5/other/spot/level/set": false,
		"homeassistant/status": false, "homeassistant/device/x/config": false, "tele/relay/STATE": false, "$SYS/broker/clients": false,
	}
	for user, may := range map[string][]string{
		"screen": {}, "bms": {"homie/5/hall/spot/level/set", "homeassistant/status"}, "relay": {"tele/relay/STATE"},
	} {
		password := map[string]string{"screen": "1", "bms": "2", "relay": "3"}[user]
		c, err := guest(b, user, password, nil)
		if err != nil {
			t.Fatal(err)
		}
		for topic := range all {
			done(t, c.Publish(topic, 0, false, user)) // dropped without a word where it may not
		}
		c.Disconnect(250)
		for _, topic := range may {
			f.says(t, topic, user)
		}
		// A will is judged by the same rights, and none leaves a command behind.
		for topic := range all {
			allowed := false
			for _, m := range may {
				allowed = allowed || m == topic
			}
			c, err := guest(b, user, password, func(o *paho.ClientOptions) { o.SetWill(topic, "will", 1, false) })
			if (err == nil) != allowed {
				t.Errorf("%s with a will on %s: %v", user, topic, err)
			}
			c.Disconnect(0)
		}
	}
	if c, err := guest(b, "bms", "2", func(o *paho.ClientOptions) { o.SetWill("homie/5/hall/spot/level/set", "low", 1, true) }); err == nil {
		t.Error("a will may leave a command behind")
		c.Disconnect(0)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.all {
		switch h.payload {
		case "will": // of those that may
			if h.topic != "homie/5/hall/spot/level/set" && h.topic != "homeassistant/status" && h.topic != "tele/relay/STATE" {
				t.Errorf("%+v", h)
			}
		case "bms":
			if h.topic != "homie/5/hall/spot/level/set" && h.topic != "homeassistant/status" {
				t.Errorf("%+v", h)
			}
		case "relay":
			if h.topic != "tele/relay/STATE" {
				t.Errorf("%+v", h)
			}
		default:
			t.Errorf("%+v", h)
		}
	}
}

// Nagle's algorithm against delayed acknowledgements costs 40 ms.
func TestTheBrokerSendsSmallPacketsAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := prompt{l}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	raw, err := far.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		if on, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY); err != nil || on == 0 {
			t.Errorf("TCP_NODELAY is %d, %v", on, err)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// Many newcomers look through all that is retained while a room publishes; under the race detector.
func TestNewcomersAndStatesTakeTurns(t *testing.T) {
	v := open(t, "embedded")
	h, f := show(t, v)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for range 20 {
			c, err := guest(v.broker, facilitiesUser, "facilities", nil)
			if err != nil {
				t.Error(err)
				return
			}
			c.Subscribe("#", 1, nil).WaitTimeout(patience)
			c.Subscribe("homie/5/+/+/#", 1, nil).WaitTimeout(patience)
			c.Disconnect(0)
		}
	}()
	for running, i := true, 0; running; i++ {
		f.publish(t, "homie/5/hall/spot/level/set", []string{"low", "off"}[i%2], false)
		select {
		case <-over:
			running = false
		default:
		}
	}
	f.until(t, "the room goes on", func() bool { return len(h.lamp.done()) > 0 })
}
