//! autoscaler
pub mod cli;
pub mod command;
pub mod decide;
pub mod demo;
pub mod function;
pub mod heroku;
pub mod log;
pub mod measure;
pub mod net;
pub mod notify;
pub mod pipeline;
pub mod scale;
pub mod script;
pub mod secret;
pub mod settings;
pub mod state;
pub mod world;
