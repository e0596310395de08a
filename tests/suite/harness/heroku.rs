//! Owns the fake Heroku API on a thread of its own, so that a test without a runtime can use it.

use std::net::TcpListener;
use std::sync::Mutex;
use std::thread::JoinHandle;

use autoscaler::heroku::fake::Fake;
use tokio::sync::oneshot;

/// The app, the process type and the key of every test.
pub const APP: &str = "shop";
pub const KEY: &str = "key-of-the-shop";

/// The fake API with the app `shop` (`web` 1, `worker` 1), until it is dropped.
pub struct FakeHeroku {
    pub fake: Fake,
    port: u16,
    server: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl FakeHeroku {
    /// On a free port.
    pub fn start() -> Self {
        Self::of(KEY, APP, &[("web", 1), ("worker", 1)])
    }

    /// On a free port, with another key and app.
    pub fn of(key: &str, app: &str, types: &[(&str, u32)]) -> Self {
        let fake = Fake::new(key);
        fake.add_app(app, types);
        let mut heroku = Self { fake, port: 0, server: Mutex::default() };
        heroku.port = heroku.serve();
        heroku
    }

    /// Nothing listens on its port any more.
    pub fn go_down(&self) {
        if let Some((stop, thread)) = self.server.lock().unwrap().take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }

    /// It listens again.
    pub fn come_back(&self) {
        self.serve();
    }

    fn serve(&self) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel();
        let fake = self.fake.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                fake.serve(listener, async { drop(stopped.await) }).await.unwrap();
            });
        });
        *self.server.lock().unwrap() = Some((stop, thread));
        port
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// "http://127.0.0.1:1234".
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The settings of `scale::heroku`.
    pub fn scale(&self) -> String {
        let url = self.url();
        format!(
            "scale::heroku(#{{ app_name: \"{APP}\", api_key: env::secret(\"HEROKU_API_KEY\"), api_url: \"{url}\" }})"
        )
    }

    /// Dynos of `web`.
    pub fn web(&self) -> u32 {
        self.fake.dynos(APP, "web")
    }
}

impl Drop for FakeHeroku {
    fn drop(&mut self) {
        self.go_down();
    }
}
