//! autoscaler
pub mod decide;
pub mod demo;
pub mod function;
pub mod heroku;
pub mod measure;
pub mod notify;
pub mod pipeline;
pub mod scale;
pub mod script;
pub mod secret;
pub mod settings;
pub mod state;
pub mod world;
