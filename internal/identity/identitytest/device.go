// Package identitytest lets tests sign in as people do: with a device that
// makes and uses passkeys, with real keys and signatures.
package identitytest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
)

// A Device is one person's device and browser at a hub.
type Device struct {
	T      testing.TB
	Base   string // the hub's origin
	Client *http.Client
	RP     virtualwebauthn.RelyingParty
	Auth   virtualwebauthn.Authenticator
	Key    virtualwebauthn.Credential
}

// New is a device at a hub that is reached as localhost.
func New(t testing.TB, base string) *Device {
	t.Helper()
	return &Device{T: t, Base: base, Client: Browser(t), RP: virtualwebauthn.RelyingParty{Name: "Parallax", ID: "localhost", Origin: base},
		Auth: virtualwebauthn.NewAuthenticator()}
}

// Browser is a client with cookies of its own.
func Browser(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// Ask posts JSON as a page's script does.
func (d *Device) Ask(path, body string) (status int, answer string) {
	d.T.Helper()
	res, err := d.Client.Post(d.Base+path, "application/json", strings.NewReader(body))
	if err != nil {
		d.T.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		d.T.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

func (d *Device) options(path string, values map[string]string) (int, string) {
	d.T.Helper()
	raw, err := json.Marshal(values)
	if err != nil {
		d.T.Fatal(err)
	}
	return d.Ask(path+"/options", string(raw))
}

// Create makes a passkey and sends it to path.
func (d *Device) Create(path string, values map[string]string) (int, string) {
	d.T.Helper()
	status, said := d.options(path, values)
	if status != http.StatusOK {
		return status, said
	}
	var o struct {
		PublicKey struct {
			User struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"publicKey"`
	}
	options, err := virtualwebauthn.ParseAttestationOptions(said)
	if err == nil {
		err = json.Unmarshal([]byte(said), &o)
	}
	if err == nil {
		d.Auth.Options.UserHandle, err = base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID)
	}
	if err != nil {
		d.T.Fatal(err)
	}
	d.Key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	return d.Ask(path, virtualwebauthn.CreateAttestationResponse(d.RP, d.Auth, d.Key, *options))
}

// Answer begins to use the passkey and gives what would be sent.
func (d *Device) Answer(path string, values map[string]string) (status int, answer string) {
	d.T.Helper()
	status, said := d.options(path, values)
	if status != http.StatusOK {
		return status, said
	}
	options, err := virtualwebauthn.ParseAssertionOptions(said)
	if err != nil {
		d.T.Fatal(err)
	}
	d.Key.Counter++
	return status, virtualwebauthn.CreateAssertionResponse(d.RP, d.Auth, d.Key, *options)
}

// Use signs with the passkey and sends the answer to path.
func (d *Device) Use(path string, values map[string]string) (int, string) {
	d.T.Helper()
	status, answer := d.Answer(path, values)
	if status != http.StatusOK {
		return status, answer
	}
	return d.Ask(path, answer)
}
