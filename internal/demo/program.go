package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// lifelineVar tells a process that it belongs to a demonstration: it ends when
// its standard input does, whatever became of the demonstration.
const lifelineVar = "PARALLAX_DEMO_LIFELINE"

// Lifeline gives a context that ends with in, if this process was started by a
// demonstration; otherwise it gives ctx.
func Lifeline(ctx context.Context, in io.Reader) context.Context {
	if os.Getenv(lifelineVar) == "" {
		return ctx
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, in) // an error ends it as well
		cancel()
	}()
	return ctx
}

// A program starts the parts of the demonstration as processes.
type program struct {
	exe  string
	env  []string
	logs string // directory of what the servers say

	mu    sync.Mutex
	parts []*part
	died  chan struct{} // closed when a server has ended
	why   error         // the first that did; set before died is closed
}

// A part is one server process.
type part struct {
	name     string
	cmd      *exec.Cmd
	lifeline io.Closer
	said     *tail
	done     chan struct{}
}

func newProgram(logs string) (*program, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &program{exe: exe, env: childEnv(os.Environ()), logs: logs, died: make(chan struct{})}, os.MkdirAll(logs, 0o700)
}

// childEnv drops what would point a part at somebody's real database or desk.
func childEnv(env []string) []string {
	out := []string{lifelineVar + "=1"}
	for _, kv := range env {
		if !strings.HasPrefix(kv, "PARALLAX_") || strings.HasPrefix(kv, "PARALLAX_TEST_AS_PROGRAM=") {
			out = append(out, kv)
		}
	}
	return out
}

func (p *program) command(ctx context.Context, args []string) (*exec.Cmd, io.Closer, error) {
	c := exec.CommandContext(ctx, p.exe, args...)
	c.Env = p.env
	in, err := c.StdinPipe()
	return c, in, err
}

// A Failed is a command that ended with an error, in its own words.
type Failed struct {
	Command string
	Code    int
	Said    string // its standard error
}

// Error is the last thing that the command said.
func (f *Failed) Error() string {
	return fmt.Sprintf("%s ended with code %d: %s", f.Command, f.Code, f.Sentence())
}

// Sentence is the command's own last line, without the program's name.
func (f *Failed) Sentence() string {
	lines := strings.Split(strings.TrimSpace(f.Said), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "parallax: ")
}

func asFailed(err error) (*Failed, bool) {
	var f *Failed
	return f, errors.As(err, &f)
}

// named is a command without its options, for messages.
func named(args []string) string { return "parallax " + strings.Join(args[:min(2, len(args))], " ") }

// run runs one command to its end and gives its standard output.
func (p *program) run(ctx context.Context, args ...string) ([]byte, error) {
	c, in, err := p.command(ctx, args)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err = c.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = &Failed{Command: named(args), Code: exit.ExitCode(), Said: said.String()}
	}
	return out.Bytes(), err
}

// serve starts a server and waits until it answers at url.
func (p *program) serve(ctx context.Context, name, url string, args ...string) error {
	// The process outlives ctx: stop ends it in order.
	c, in, err := p.command(context.WithoutCancel(ctx), args)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(p.logs, name+".log"))
	if err != nil {
		return err
	}
	x := &part{name: name, cmd: c, lifeline: in, said: &tail{}, done: make(chan struct{})}
	c.Stdout = io.MultiWriter(x.said, log)
	c.Stderr = c.Stdout
	if err := c.Start(); err != nil {
		log.Close()
		return fmt.Errorf("%s could not be started: %w", name, err)
	}
	p.mu.Lock()
	p.parts = append(p.parts, x)
	p.mu.Unlock()
	go func() {
		err := c.Wait()
		log.Close()
		p.lost(fmt.Errorf("%s ended by itself (%v). It said: %s", name, err, x.said))
		close(x.done)
	}()
	return p.answers(ctx, x, url)
}

func (p *program) lost(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why == nil {
		p.why = err
		close(p.died)
	}
}

// cause is why the first server ended, or nil while all run.
func (p *program) cause() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

// answers waits until a server answers, or has ended.
func (p *program) answers(ctx context.Context, x *part, url string) error {
	ask := &http.Client{Timeout: 2 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for range 600 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if res, err := ask.Do(req); err == nil {
			return res.Body.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-x.done:
			return fmt.Errorf("%s ended at its start. It said: %s", x.name, x.said)
		case <-look.C:
		}
	}
	return fmt.Errorf("%s does not answer at %s. It said: %s", x.name, url, x.said)
}

// stop ends all servers, the last started first, and waits for them. Who does
// not end in time is killed.
func (p *program) stop() {
	p.mu.Lock()
	parts := p.parts
	p.parts = nil
	p.mu.Unlock()
	for i := len(parts) - 1; i >= 0; i-- {
		_ = parts[i].lifeline.Close() // it may be gone already
	}
	patience := time.NewTimer(5 * time.Second)
	defer patience.Stop()
	for _, x := range parts {
		select {
		case <-x.done:
		case <-patience.C:
			patience.Reset(0)
			_ = x.cmd.Process.Kill() // it may be gone already
			<-x.done
		}
	}
}

// freeAddr finds a loopback address that nothing listens on.
func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// tail keeps the last 2,000 bytes of what was written.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	t.buf = t.buf[max(0, len(t.buf)-2000):]
	return len(p), nil
}

// String is what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}
