/** Trino's own launcher is not published by itself: this is what it does. */
public final class StartTrino {
    private StartTrino() {}

    public static void main(String[] arguments) {
        new io.trino.server.Server().start(arguments[0]);
    }
}
