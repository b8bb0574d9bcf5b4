package identity

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// forger stands between the hub and a provider: it shows its own key as the
// provider's, and puts tokens of its making into the answers.
type forger struct {
	t     *testing.T
	key   *rsa.PrivateKey
	token func(claims map[string]any) string
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (f forger) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(res.Body)
	res.Body.Close()
	var said map[string]any
	if err == nil && json.Unmarshal(raw, &said) == nil {
		if _, keys := said["keys"]; keys {
			said["keys"] = []any{map[string]string{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "forged", "n": b64(f.key.N.Bytes()), "e": b64(big.NewInt(int64(f.key.E)).Bytes())}}
		}
		if text, ok := said["id_token"].(string); ok {
			var claims map[string]any
			body, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[1])
			must(f.t, err)
			must(f.t, json.Unmarshal(body, &claims))
			said["id_token"] = f.token(claims)
		}
		raw, err = json.Marshal(said)
	}
	res.Body, res.ContentLength = io.NopCloser(strings.NewReader(string(raw))), int64(len(raw))
	return res, err
}

// jwt is a token with a header and claims, signed by sign.
func (f forger) jwt(alg string, claims map[string]any, sign func(input string) []byte) string {
	head, err := json.Marshal(map[string]string{"alg": alg, "kid": "forged", "typ": "JWT"})
	must(f.t, err)
	body, err := json.Marshal(claims)
	must(f.t, err)
	input := b64(head) + "." + b64(body)
	return input + "." + b64(sign(input))
}

func (f forger) rs256(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(rand.Reader, f.key, crypto.SHA256, sum[:])
	must(f.t, err)
	return sig
}

// An ID token counts when the provider's key signed it, by an algorithm of two
// keys, for this client, now: each other one signs nobody in.
func TestIDTokens(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	for name, c := range map[string]struct {
		alg    string
		change func(claims map[string]any)
		sign   func(f forger, input string) []byte
		good   bool
	}{
		"as it should be": {good: true},
		"another key":     {sign: func(f forger, input string) []byte { return forger{t: t, key: other}.rs256(input) }},
		"a changed byte":  {sign: func(f forger, input string) []byte { s := f.rs256(input); s[9] ^= 1; return s }},
		"no signature":    {sign: func(forger, string) []byte { return nil }},
		"no algorithm":    {alg: "none", sign: func(forger, string) []byte { return nil }},
		"the key as secret": {alg: "HS256", sign: func(f forger, input string) []byte {
			m := hmac.New(sha256.New, f.key.N.Bytes())
			m.Write([]byte(input))
			return m.Sum(nil)
		}},
		"another audience":   {change: func(c map[string]any) { c["aud"] = "somebody-else" }},
		"two, none as party": {change: func(c map[string]any) { c["aud"] = []string{"parallax", "somebody-else"}; delete(c, "azp") }},
		"another party":      {change: func(c map[string]any) { c["azp"] = "somebody-else" }},
		"another issuer":     {change: func(c map[string]any) { c["iss"] = "https://elsewhere.example" }},
		"expired":            {change: func(c map[string]any) { c["exp"] = c["iat"].(float64) - 3600 }},
		"not yet":            {change: func(c map[string]any) { c["nbf"] = c["iat"].(float64) + 3600 }},
		"another nonce":      {change: func(c map[string]any) { c["nonce"] = "another" }},
		"no subject":         {change: func(c map[string]any) { delete(c, "sub") }},
	} {
		t.Run(name, func(t *testing.T) {
			f := forger{t: t, key: key}
			f.token = func(claims map[string]any) string {
				alg, sign := "RS256", f.rs256
				if c.change != nil {
					c.change(claims)
				}
				if c.alg != "" {
					alg = c.alg
				}
				if c.sign != nil {
					sign = func(input string) []byte { return c.sign(f, input) }
				}
				return f.jwt(alg, claims, sign)
			}
			provider, begin := provide(t, "one", func(url.Values) {})
			v := serve(t, func(o *Options) {
				o.Providers = []Provider{provider}
				o.HTTP = &http.Client{Transport: f, Timeout: time.Minute}
			})
			begin(v.base + Callback)
			e, a := v.enrol("one", "ada", "bank-a", OrganisationAdmin)
			if in := v.who() == e.Person; in != c.good || !c.good && (a.status != http.StatusForbidden || v.one(e.Person).State != Invited) {
				t.Errorf("signed in is %t: %d\n%s", in, a.status, a.body)
			}
		})
	}
}
