package build

import (
	"log/slog"
	"time"

	"lectern/configs"
	"lectern/scenes/notify"
)

// notices makes what tells others of the room; nil where the room file names nobody.
func (s *Service) notices(cfg *configs.Room, zone *time.Location, log *slog.Logger) (*notify.Notifier, error) {
	var targets []notify.Target
	if w := cfg.Staff.Webhook; w != nil {
		hook, err := notify.NewWebhook(w.URL, w.Secret, w.CA)
		if err != nil {
			return nil, err //nolint:wrapcheck // says what it was making
		}
		targets = append(targets, hook)
	}
	if m := cfg.Staff.Mail; m != nil {
		mail, err := notify.NewMail(notify.MailConfig{
			Server: m.Server, Security: m.Security, CA: m.CA, User: m.User, Password: m.Password,
			From: m.From, To: m.To, Language: m.Language, Zone: zone,
		})
		if err != nil {
			return nil, err //nolint:wrapcheck // says what it was making
		}
		targets = append(targets, mail)
	}
	if targets == nil {
		return nil, nil
	}
	return notify.New(notify.Config{
		ID: cfg.Room.ID, Name: phrase(cfg.Room.Name), Room: s.room, Orders: s.Orders, Maintenance: s.Maintenance,
		Things: s.things, Down: cfg.Staff.Down, Targets: targets, Log: log,
	}), nil
}

// things are the devices as the room file has them now.
func (s *Service) things() map[string]notify.Thing {
	all := make(map[string]notify.Thing)
	for _, d := range s.cfg.Load().Devices {
		all[d.ID] = notify.Thing{Name: phrase(d.Name), Lines: linesOf(d)}
	}
	return all
}
