package main

import "google.golang.org/protobuf/compiler/protogen"

// server writes what serves the service.
func (w writer) server(s *protogen.Service) {
	w = w.with(map[string]string{"comment": comment(s.Comments.Leading, deprecatedService(s))})
	w.write("// $Handler is what the program implements. Its methods are called by many goroutines at a time.")
	if w.values["comment"] != "" {
		w.write("//\n${comment}type $Handler interface {")
	} else {
		w.write("type $Handler interface {")
	}
	for _, m := range s.Methods {
		w.method(s, m).write("${comment}$Method" + handlerParameters(m))
	}
	w.write("}\n")
	w.register(s)
	w.write("\ntype $handlerStruct struct {\n\thandler $Handler\n}")
	for _, m := range s.Methods {
		mw := w.method(s, m)
		mw.blank()
		switch {
		case !streams(m):
			mw.write(unaryHandler)
			continue
		case m.Desc.IsStreamingClient():
			mw.write(streamHandler)
		default:
			mw.write(serverStreamHandler)
		}
		mw.handlerStream(m)
	}
	w.blank()
}

func handlerParameters(m *protogen.Method) string {
	switch {
	case !streams(m):
		return "($context.Context, *$Request, *$Response) error"
	case m.Desc.IsStreamingClient():
		return "($context.Context, $HandlerStream) error"
	default:
		return "($context.Context, *$Request, $HandlerStream) error"
	}
}

// register writes the func that gives a handler to a server. The name of the type
// that it gives is the service's, by which callers know it. Messages may have that
// name as well, so that they come first.
func (w writer) register(s *protogen.Service) {
	w.write(`
// Register$Handler lets $s serve $hdlr, under the name of the server.
func Register$Handler($s $server.Server, $hdlr $Handler, $opts ...$server.HandlerOption) error {
	type $methods interface {`)
	for _, m := range s.Methods {
		if streams(m) {
			w.method(s, m).write("\t\t$Method($context.Context, $server.Stream) error")
		} else {
			w.method(s, m).write("\t\t$Method($context.Context, *$Request, *$Response) error")
		}
	}
	w.write("\t}\n\ttype $described = $server.Methods\n\t$calls := $described{")
	for _, m := range s.Methods {
		if !streams(m) {
			w.method(s, m).write(describedMethod)
		}
	}
	w.write("\t}\n\ttype $Service struct {\n\t\t$methods\n\t\t$described\n\t}")
	first := true
	for _, m := range s.Methods {
		e, ok := endpointOf(s, m)
		if !ok {
			continue
		}
		if first {
			w.write("\t$opts = $opts[:len($opts):len($opts)]")
			first = false
		}
		w.write("\t$opts = append($opts, $api.WithEndpoint(&$api.Endpoint{")
		w.endpoint(e)
		w.write("\t}))")
	}
	w.write("\treturn $s.Handle($s.NewHandler(&$Service{&$handlerStruct{$hdlr}, $calls}, $opts...))\n}")
}

const describedMethod = `
		{
			Name: $name,${idempotent}
			New:  func() (any, any) { return new($Request), new($Response) },
			Call: func($ctx $context.Context, $req, $rsp any) error {
				return $hdlr.$Method($ctx, $req.(*$Request), $rsp.(*$Response))
			},
		},`

const unaryHandler = `
func ($h *$handlerStruct) $Method($ctx $context.Context, $in *$Request, $out *$Response) error {
	return $h.handler.$Method($ctx, $in, $out)
}`

const streamHandler = `
func ($h *$handlerStruct) $Method($ctx $context.Context, $stream $server.Stream) error {
	return $h.handler.$Method($ctx, &$handlerStreamStruct{$stream})
}
`

const serverStreamHandler = `
func ($h *$handlerStruct) $Method($ctx $context.Context, $stream $server.Stream) error {
	$m := new($Request)
	if $err := $stream.Recv($m); $err != nil {
		return $err
	}
	return $h.handler.$Method($ctx, $m, &$handlerStreamStruct{$stream})
}
`

// handlerStream writes the type of a stream as the handler has it.
func (w writer) handlerStream(m *protogen.Method) {
	receives, sends := m.Desc.IsStreamingClient(), m.Desc.IsStreamingServer()
	w.write(`
// $HandlerStream is a stream of $Method. It ends when the handler returns.
type $HandlerStream interface {
	Context() $context.Context
	SendMsg(any) error
	RecvMsg(any) error
	Close() error`)
	if sends {
		w.write("\tSend(*$Response) error")
	} else {
		w.write("\t// SendAndClose sends the response, after which the handler returns.\n\tSendAndClose(*$Response) error")
	}
	if receives {
		w.write("\t// Recv returns io.EOF after the last message.\n\tRecv() (*$Request, error)")
	}
	w.write(`
}

type $handlerStreamStruct struct {
	stream $server.Stream
}

func ($x *$handlerStreamStruct) Context() $context.Context { return $x.stream.Context() }
func ($x *$handlerStreamStruct) SendMsg($m any) error      { return $x.stream.Send($m) }
func ($x *$handlerStreamStruct) RecvMsg($m any) error      { return $x.stream.Recv($m) }
func ($x *$handlerStreamStruct) Close() error              { return $x.stream.Close() }`)
	if sends {
		w.write("func ($x *$handlerStreamStruct) Send($m *$Response) error { return $x.stream.Send($m) }")
	} else {
		w.write("func ($x *$handlerStreamStruct) SendAndClose($m *$Response) error { return $x.stream.Send($m) }")
	}
	if receives {
		w.write("\n" + recv("handlerStreamStruct", "Request"))
	}
}
