package signed

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
)

// MessageDomain separates machine messages from all other signed objects.
const MessageDomain = "parallax/message/v1"

// Window is how far the sender's clock may be from the receiver's.
const Window = 5 * time.Minute

var (
	// ErrAudience: the message was meant for another receiver or path.
	ErrAudience = errors.New("the message is addressed to another receiver")
	// ErrClock: the message's time is outside the receiver's window.
	ErrClock = errors.New("the sender's and the receiver's clocks differ by more than the allowed window")
)

// A Message is a request from one machine to another: valid for one audience,
// one path, one nonce and a short window of time.
type Message struct {
	Audience string `json:"audience"`
	Sender   string `json:"sender"`
	Path     string `json:"path"`
	Time     int64  `json:"time"` // UTC microseconds
	Nonce    string `json:"nonce"`
	Body     []byte `json:"body"`
}

// NewMessage signs body as a message from sender to audience for path.
func NewMessage(audience, sender, path string, body []byte, key ed25519.PrivateKey, now time.Time, random io.Reader) (Object, error) {
	var nonce [16]byte
	if _, err := io.ReadFull(random, nonce[:]); err != nil {
		return Object{}, fmt.Errorf("nonce: %w", err)
	}
	return Sign(MessageDomain, sender, key, Message{Audience: audience, Sender: sender, Path: path,
		Time: now.UTC().UnixMicro(), Nonce: hex.EncodeToString(nonce[:]), Body: body})
}

// OpenMessage verifies a message for this audience, path and time. The caller
// looks up pub by o.Key and, where an act must not happen twice, also keeps
// the nonce for twice the window.
func (o Object) OpenMessage(audience, path string, pub ed25519.PublicKey, now time.Time) (Message, error) {
	var m Message
	if err := o.Open(MessageDomain, pub, &m); err != nil {
		return Message{}, err
	}
	if m.Audience != audience || m.Path != path || m.Sender != o.Key {
		return Message{}, ErrAudience
	}
	if len(m.Nonce) != 32 {
		return Message{}, fmt.Errorf("message nonce has %d characters, want 32", len(m.Nonce))
	}
	if off := now.Sub(time.UnixMicro(m.Time)); off > Window || off < -Window {
		return Message{}, fmt.Errorf("%w: they differ by %s, at most %s is allowed; set the one that is wrong and send again", ErrClock, off.Round(time.Second), Window)
	}
	return m, nil
}
